/**
 * This library as it comes, but for two bounds: how long it waits for a reader that takes nothing, because a busy
 * machine takes its time, and how many commands a connection may send, where that is what is measured.
 */
import { createPartyline, type PartylineOptions } from "partyline";
import { tellMemory } from "./memory.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as PartylineOptions;
const server = createPartyline({
  ...options,
  limits: { slowReader: 600_000, ...options.limits },
  logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
});
const { port } = await server.listen(0);
tellMemory();
process.send?.({ port });
