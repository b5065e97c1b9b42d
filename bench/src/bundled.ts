/** With `--import`: `partyline` means what the test of the benchmarks has built of the source, so that it needs no build. */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const BUNDLES = join(import.meta.dirname, "../../node_modules/.cache/bench");
const BUNDLED: ReadonlySet<string> = new Set(["partyline", "partyline/client", "partyline/workers"]);

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (!BUNDLED.has(specifier)) return nextResolve(specifier, context);
    return nextResolve(pathToFileURL(join(BUNDLES, `${specifier}.js`)).href, context);
  },
});
