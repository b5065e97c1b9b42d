/** This library as it comes, but for how long it waits for a reader that takes nothing: a busy machine takes its time. */
import { createPartyline } from "partyline";

const server = createPartyline({
  limits: { slowReader: 600_000 },
  logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
});
const { port } = await server.listen(0);
process.send?.({ port });
