/** Does the oracle find a bug that is there? Each mutant of the product must fail within the seeds of `npm test`. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { MEMORY_SEEDS } from "./fixed-seeds.ts";
import { MUTANTS } from "./mutants/mutants.ts";

const child = join(import.meta.dirname, "mutants/child.ts");

it.concurrent.each(MUTANTS)(
  "the oracle finds that $name",
  async ({ name, breaks }) => {
    const args = [child, name, String(MEMORY_SEEDS.from), String(MEMORY_SEEDS.count)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { found, kinds } = JSON.parse(stdout) as { found?: { is: string }; kinds: string[] };
    expect(found, `Its seeds broke: ${kinds.join(", ") || "nothing"}.`).toBeDefined();
    expect(breaks).toContain(found?.is);
  },
  120_000,
);
