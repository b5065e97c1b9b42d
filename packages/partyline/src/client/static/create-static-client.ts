import type { Client, ClientOptions } from "../client-types.ts";
import { createClientIn, type World } from "../create-client.ts";
import { createKeeper } from "../keeper.ts";
import { globalRuntime } from "../runtime.ts";
import { openPoll } from "../transports/poll.ts";
import { openSse } from "../transports/sse.ts";
import { openWebSocket } from "../transports/ws.ts";
import type { Definitions, TypedClient } from "../typed-client.ts";

const staticWorld: World = {
  runtime: globalRuntime,
  transports: { ws: () => openWebSocket, sse: () => openSse, poll: () => openPoll },
  keeper: async (request) => createKeeper(request),
};

/**
 * As `createClient` of `partyline/client`, without code that is loaded later: for service workers, which refuse
 * `import()`, and bundlers that make one file. The option `share` has no effect. Instead of `channel.follow(…)` use
 * `follow(…)` of `partyline/client/follow`.
 *
 * @throws TypeError as `createClient` of `partyline/client`.
 *
 * @example
 * ```ts
 * import { createClient } from "partyline/client/static";
 *
 * const client = createClient("https://example.com");
 * ```
 */
export function createClient(url: string | URL, options?: ClientOptions): Client;
export function createClient<D extends Definitions>(
  url: string | URL,
  options?: ClientOptions,
): TypedClient<D>;
export function createClient(url: string | URL, options?: ClientOptions): Client {
  return createClientIn(staticWorld, url, options);
}
