/**
 * The typed client with all transports in it, for runtimes that load no code later: service workers, React Native.
 *
 * @module
 */
export { PartylineError } from "../../protocol/partyline-error.ts";
export { GapError } from "../errors.ts";
export { createClient } from "./create-static-client.ts";
