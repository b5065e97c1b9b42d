/** Does the oracle find a bug that is there? Each mutant of the product must fail within the seeds of `npm test`. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { KIND_SEEDS, MEMORY_SEEDS } from "./fixed-seeds.ts";
import { type Kind, KINDS } from "./kinds/kinds.ts";
import { KIND_MUTANTS } from "./mutants/kind-mutants.ts";
import { type Mutant, MUTANTS } from "./mutants/mutants.ts";

const child = join(import.meta.dirname, "mutants/child.ts");

interface Played {
  readonly found?: { readonly is: string };
  readonly kinds: readonly string[];
}

async function play(
  { name }: Mutant,
  kinds: readonly Kind[],
  { from, count }: typeof MEMORY_SEEDS | typeof KIND_SEEDS = MEMORY_SEEDS,
): Promise<Played> {
  const args = [child, name, `${from}`, `${count}`, kinds.join(",")];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Played;
}

it.concurrent.each(MUTANTS)(
  "the oracle finds that $name",
  async (mutant) => {
    const { found, kinds } = await play(mutant, []);
    expect(found, `Its seeds broke: ${kinds.join(", ") || "nothing"}.`).toBeDefined();
    expect(mutant.breaks).toContain(found?.is);
  },
  120_000,
);

it.concurrent.each(KIND_MUTANTS)(
  "the oracle finds that $name, by trouble of the kind $kind",
  async (mutant) => {
    const { found, kinds } = await play(mutant, [mutant.kind]);
    expect(found, `Its seeds broke: ${kinds.join(", ") || "nothing"}.`).toBeDefined();
    expect(mutant.breaks).toContain(found?.is);
  },
  120_000,
);

/** One mutant of each kind: to play all seeds takes longer than to find something in one of them. */
const ONE_OF_EACH = KINDS.flatMap((kind) => KIND_MUTANTS.find((mutant) => mutant.kind === kind) ?? []);

it("each kind of trouble has a mutant", () => {
  expect(ONE_OF_EACH.map(({ kind }) => kind)).toEqual(KINDS);
});

it.concurrent.each(ONE_OF_EACH)(
  "all kinds of trouble but $kind do not show that $name",
  async (mutant) => {
    const others = KINDS.filter((kind) => kind !== mutant.kind);
    expect(await play(mutant, others, KIND_SEEDS)).toEqual({ kinds: [] });
  },
  170_000,
);
