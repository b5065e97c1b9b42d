import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP line to a server that a test can cut, hold and mend. Everything on it is on loopback. */
export interface NetworkLine extends AsyncDisposable {
  /** Where clients connect instead of to the server. */
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** Breaks every open connection; new ones come through. */
  cut(): void;
  /** Breaks every open connection and refuses new ones until `mend()`. */
  unplug(): void;
  mend(): void;
  close(): Promise<void>;
}

/**
 * Opens a line to the server at `port`.
 *
 * @example
 * ```ts
 * await using line = await openLine(serverPort);
 * const client = createClient(`http://127.0.0.1:${line.port}`);
 * line.cut(); // the client reconnects and goes on where it was
 * ```
 */
export async function openLine(port: number): Promise<NetworkLine> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let plugged = true;

  const server = createServer((client) => {
    if (!plugged) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(port, "127.0.0.1");
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const drop = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.on("error", drop).on("close", drop);
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The line has no port.");

  const cut = (): void => {
    for (const pair of [...pairs]) for (const socket of pair) socket.destroy();
  };
  const close = async (): Promise<void> => {
    cut();
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };

  return {
    port: address.port,
    get connections() {
      return pairs.size;
    },
    cut,
    unplug() {
      plugged = false;
      cut();
    },
    mend() {
      plugged = true;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
