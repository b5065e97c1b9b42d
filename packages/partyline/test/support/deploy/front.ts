import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Between two questions to each server, ms. */
const INTERVAL = 200;

/** A load balancer in front of servers: leads each new connection to one that says it is ready. */
export interface Front extends AsyncDisposable {
  readonly url: string;
  /** Leads connections to this server too, from the moment it is ready on. */
  add(port: number): Promise<void>;
}

/** Opens one. Like any of its kind it learns with some delay that a server is not ready any more. */
export async function openFront(): Promise<Front> {
  const ready = new Map<number, boolean>();
  const sockets = new Set<Socket>();
  let turn = 0;

  const check = async (port: number): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${port}/connect/ready`).catch(() => undefined);
    await answer?.body?.cancel();
    ready.set(port, answer?.status === 200);
  };
  const timer = setInterval(() => {
    for (const port of ready.keys()) void check(port);
  }, INTERVAL);

  const server = createServer((client) => {
    const ports = [...ready].filter(([, is]) => is).map(([port]) => port);
    const port = ports[turn++ % ports.length];
    if (port === undefined) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      // What one end said last still reaches the other.
      socket
        .on("error", () => socket.destroy())
        .on("close", () => {
          sockets.delete(socket);
          other.end();
        });
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: check,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
