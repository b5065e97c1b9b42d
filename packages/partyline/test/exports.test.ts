import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { entries, packageFolder, parse } from "./support/source.ts";

interface Names {
  values: string[];
  types: string[];
}

/** What an index.ts exports, which by the house rules is a list of re-exports by name. */
function namesOf(file: string): Names {
  const names: Names = { values: [], types: [] };
  for (const node of parse(join(packageFolder, file)).body) {
    if (node.type !== "ExportNamedDeclaration") continue;
    for (const { exported, exportKind } of node.specifiers) {
      const name = exported.type === "Literal" ? exported.value : exported.name;
      (node.exportKind === "type" || exportKind === "type" ? names.types : names.values).push(name);
    }
  }
  return { values: names.values.sort(), types: names.types.sort() };
}

describe.each(entries())("$name", ({ name, file }) => {
  it("exports the names of the snapshot", async () => {
    const { values, types } = namesOf(file);
    const list = [...values.map((value) => `value ${value}`), ...types.map((type) => `type  ${type}`)];
    await expect(`${list.join("\n")}\n`).toMatchFileSnapshot(`exports/${name.replaceAll("/", ".")}.txt`);
  });

  it("has at run time exactly the values that it lists", async () => {
    const module = (await import(/* @vite-ignore */ join(packageFolder, file))) as object;
    expect(Object.keys(module).sort()).toEqual(namesOf(file).values);
  });
});
