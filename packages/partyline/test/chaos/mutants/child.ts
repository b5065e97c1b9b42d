/**
 * Plays seeds in memory with one mutant of the product, until the oracle finds it. Arguments: the mutant's name, the
 * first seed, how many, and the kinds of trouble that the histories have. Prints one line of JSON.
 */
import { registerHooks } from "node:module";
import type { Kind } from "../kinds/kinds.ts";
import { KIND_MUTANTS } from "./kind-mutants.ts";
import { MUTANTS } from "./mutants.ts";

const [name, from, seeds, list = ""] = process.argv.slice(2);
const kinds = list.split(",").filter((kind) => kind !== "") as Kind[];
const mutant = [...MUTANTS, ...KIND_MUTANTS].find((one) => one.name === name);
if (!mutant) throw new Error(`There is no mutant "${name}".`);
const { file, find, replace, breaks, seed: likely } = mutant;

let mutated = false;
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/partyline/src/${file}`)) return loaded;
    const { source: bytes } = loaded;
    const source = typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes);
    // A mutant of code that is gone proves nothing.
    if (source.split(find).length !== 2) throw new Error(`${file} has not once: ${find}`);
    mutated = true;
    return { ...loaded, source: source.replace(find, () => replace) };
  },
});

const { generateHistory } = await import("../generate.ts");
const { memoryWorlds } = await import("../memory-world.ts");
const { runHistory } = await import("../run.ts");
if (!mutated) throw new Error(`${file} was not loaded.`);

const other = new Set<string>();
let found: object | undefined;
const all = Array.from({ length: Number(seeds) }, (_, index) => Number(from) + index);
for (const seed of [likely, ...all]) {
  if (found) break;
  const { violations } = await runHistory(memoryWorlds, generateHistory(seed, kinds));
  const hit = violations.find(({ is }) => breaks.includes(is));
  if (hit) found = { seed, ...hit };
  for (const { is } of violations) other.add(is);
}
process.stdout.write(`${JSON.stringify({ found, kinds: [...other] })}\n`);
process.exit();
