import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.ts";
import { root } from "./support.ts";

/** The server that `npm start` runs: it serves all examples and prints the URL to open. */
const server = join(root, "examples/gallery/dist/server.js");

if (!build()) process.exit(1);
if (!existsSync(server)) {
  console.error(`There is no example to start: ${server} was not built.`);
  process.exit(1);
}
// Imported rather than spawned, so that Ctrl-C and SIGTERM reach the server without a relay.
await import(pathToFileURL(server).href);
