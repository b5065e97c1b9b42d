import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.ts";
import { root } from "./support.ts";

if (!build()) process.exit(1);
await import(pathToFileURL(join(root, "bench/src/main.ts")).href);
