import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.ts";
import { endWithParent } from "./end-with-parent.ts";
import { root } from "./support.ts";

/** The server that `npm start` runs: it serves all examples and prints the URL to open. */
const server = join(root, "examples/gallery/src/main.ts");

if (!build()) process.exit(1);
endWithParent();
// Imported rather than spawned, so that Ctrl-C and SIGTERM reach the server without a relay.
await import(pathToFileURL(server).href);
