import type { ClientOptions } from "../../../src/client/index.ts";
import type { ClientNetwork } from "../../../src/testing/network/medium.ts";
import type { ClientTrouble } from "../history.ts";
import { browserNetwork } from "./browser-rules.ts";
import { createProxy, type Proxy, type ProxyHost } from "./proxy.ts";
import { tokensInTurn } from "./tokens.ts";

/** What is around a client from its beginning to its end. */
export interface Surroundings {
  readonly options: Pick<ClientOptions, "token" | "headers">;
  /** Whether the page's `navigator` says that there is a network; absent: it does. */
  readonly isOnline?: (() => boolean) | undefined;
  /** Bytes per second of the way to the server. */
  readonly uplink?: number | undefined;
  readonly through: (network: ClientNetwork) => ClientNetwork;
}

/** The {@link Surroundings} of a client with such trouble, and how the steps change them. */
export interface TroubledPlace {
  readonly surroundings: Surroundings;
  readonly proxy: Proxy | undefined;
  /** Lets `navigator.onLine` be this; absent: it never lies. */
  readonly say: ((online: boolean) => void) | undefined;
}

export function createPlace(trouble: ClientTrouble, host: ProxyHost): TroubledPlace {
  const { refusesMarked, uplink, lies, tokens, origin } = trouble;
  const proxy = refusesMarked === undefined ? undefined : createProxy(host, refusesMarked);
  let online = true;
  return {
    surroundings: {
      options: {
        ...(tokens && { token: tokensInTurn(tokens, host.count) }),
        // What monitoring of a page adds to each request.
        ...(origin !== undefined && { headers: { traceparent: "00-1-2-01", baggage: "page=chaos" } }),
      },
      isOnline: lies && (() => online),
      uplink,
      through(network) {
        const { WebSocket, fetch } =
          origin === undefined ? network : browserNetwork(network, origin, host.count);
        return { WebSocket, fetch: proxy?.through(fetch) ?? fetch };
      },
    },
    proxy,
    say: lies && ((says) => void (online = says)),
  };
}
