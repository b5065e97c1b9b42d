/**
 * The chat, as the gallery composes it with others and as `main.ts` runs it alone.
 *
 * @module
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export { channels } from "./channels.ts";

const here = join(import.meta.dirname, "..");
const library = join(dirname(createRequire(import.meta.url).resolve("partyline/package.json")), "dist");

/**
 * The page's files by path, and the library as it is installed: ES modules that the browser loads as they are. The
 * page's import map leads `partyline/client` there.
 */
export const folders = {
  "/chat/": join(here, "public"),
  "/chat/dist/": join(here, "dist"),
  "/partyline/client/": join(library, "client"),
  "/partyline/protocol/": join(library, "protocol"),
};
