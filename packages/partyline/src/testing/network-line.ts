import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createFaults, type Crossing, type Faults } from "./line/faults.ts";
import { Relay } from "./line/relay.ts";
import { systemClock } from "../server.ts";

/** A TCP line to a server, with the faults that a test wants. Everything on it is on loopback. */
export interface NetworkLine extends Faults, AsyncDisposable {
  /** Where clients connect instead of to the server. */
  readonly port: number;
  /** The same as a URL, without a slash at its end. */
  readonly url: string;
  /** Connections that are open now, those included of which one end or both hear nothing any more. */
  readonly connections: number;
  /** Does nothing come through at present, one way at least? */
  readonly blocked: boolean;
  /** Leads new connections to the server at another port; those that are open stay where they are. */
  leadTo(port: number): void;
  close(): Promise<void>;
}

/**
 * Opens a line to the server at `port`.
 *
 * @example
 * ```ts
 * await using line = await openLine(serverPort);
 * const client = createClient(line.url);
 * line.cut(); // the client reconnects and goes on where it was
 * line.blackhole(); // the client finds out by its pings
 * line.mend();
 * ```
 */
export async function openLine(port: number): Promise<NetworkLine> {
  const crossings = new Set<Crossing>();
  const line = createFaults(crossings);
  let target = port;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near: Socket) => {
    if (!line.plugged) {
      near.on("error", () => undefined).resetAndDestroy();
      return;
    }
    if (line.conditions.up.passage === "lost") {
      crossings.add(lostCrossing(near, (lost) => crossings.delete(lost)));
      return;
    }
    const far = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const gone = (relay: Relay): void => void crossings.delete(relay);
    crossings.add(new Relay({ near, far, conditions: line.conditions, clock: systemClock, gone }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The line has no port.");

  const close = async (): Promise<void> => {
    line.faults.cut();
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };

  return {
    ...line.faults,
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    get connections() {
      return crossings.size;
    },
    get blocked() {
      return line.blocked;
    },
    leadTo(other) {
      target = other;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A connection that was opened in a black hole: what its client says goes nowhere. */
function lostCrossing(near: Socket, gone: (crossing: Crossing) => void): Crossing {
  const destroy = (): void => {
    near.destroy();
    gone(crossing);
  };
  const crossing: Crossing = { changed: () => undefined, halfClose: () => undefined, destroy };
  near.on("error", () => undefined).once("close", destroy);
  near.resume();
  return crossing;
}
