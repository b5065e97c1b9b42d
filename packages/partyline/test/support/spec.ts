import { join } from "node:path";
import { Visitor, type ESTree } from "vite";
import { packageFolder, parse } from "./source.ts";

/** The ids that PROTOCOL.md defines, in order: `**POS-3**`. */
export function definedIds(protocol: string): string[] {
  return [...protocol.matchAll(/\*\*([A-Z]+-\d+)\*\*/g)].map((match) => match[1] ?? "");
}

/** The ids of spec-pending.txt with the reason of each. */
export function pendingIds(text: string): Map<string, string> {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const [id = "", ...reason] = line.trim().split(/\s+/);
      return [id, reason.join(" ")];
    }),
  );
}

/**
 * The ids that strings of the files name in brackets, as `[PUB-1]` or `[PUB-1, PUB-2]`, with a file of each.
 * Files are given relative to the package.
 * All strings count, because a suite may keep its titles in a table; those of tests that do not run don't.
 */
export function provenIds(files: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of files) {
    const skipped: ESTree.CallExpression[] = [];
    const strings: { start: number; text: string }[] = [];
    const visitor = new Visitor({
      Literal: (node) =>
        typeof node.value === "string" && strings.push({ start: node.start, text: node.value }),
      TemplateElement: (node) => strings.push({ start: node.start, text: node.value.raw }),
      CallExpression: (node) => isSkip(node) && skipped.push(node),
    });
    visitor.visit(parse(join(packageFolder, file)));
    for (const { start, text } of strings) {
      if (skipped.some((call) => call.start <= start && start < call.end)) continue;
      for (const id of idsIn(text)) found.set(id, file);
    }
  }
  return found;
}

function idsIn(text: string): string[] {
  return [...text.matchAll(/\[([A-Z]+-\d+(?:, ?[A-Z]+-\d+)*)\]/g)].flatMap(
    (match) => match[1]?.split(/, ?/) ?? [],
  );
}

/** `it.skip(…)`, `test.todo(…)`, `describe.skip(…)`. */
function isSkip({ callee }: ESTree.CallExpression): boolean {
  return (
    callee.type === "MemberExpression" &&
    callee.property.type === "Identifier" &&
    ["skip", "todo"].includes(callee.property.name)
  );
}
