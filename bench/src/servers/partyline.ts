/** This library as it comes, with room for all readers from one address. */
import { createPartyline } from "partyline";

const server = createPartyline({
  logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
});
const { port } = await server.listen(0);
process.send?.({ port });
