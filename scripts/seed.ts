import fc from "fast-check";

/**
 * Generated tests play the same histories in every run, so that a change never fails by somebody else's luck.
 * `SEED=7 npx vitest run …` plays others, `SEED=new` ones that nobody has seen.
 */
const { SEED = "1" } = process.env;
fc.configureGlobal({ seed: SEED === "new" ? Date.now() : Number(SEED) });
