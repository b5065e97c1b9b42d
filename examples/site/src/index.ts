/**
 * What the example servers share. Plain `node:http`; a framework would do the same in fewer lines, and the
 * examples should show only partyline.
 *
 * @module
 */
export { serveFiles } from "./files.ts";
export { chain, type Handler, redirect } from "./handler.ts";
export { BadRequest, readJson, sendJson } from "./json.ts";
export { hosts, listen } from "./listen.ts";
