/**
 * Memory brokers in a process of their own, behind a socket on loopback: pasts that outlive the servers. Prints its
 * port, and ends when its standard input does, so that it never outlives the test.
 */
import { createServer, type Socket } from "node:net";
import { createMemoryBroker, type MemoryBroker } from "../../../src/brokers/memory/index.ts";
import type { ChannelSpec, Subscription } from "../../../src/core/ports.ts";
import { type Call, flatten, frames, send } from "./wire.ts";

/** A broker, and how far its clock is ahead of the machine's. */
interface Past {
  readonly broker: MemoryBroker;
  ahead: number;
}

const pasts = new Map<string, Past>();

function begin(): Past {
  const past: Past = { broker: createMemoryBroker({ now: () => Date.now() + past.ahead }), ahead: 0 };
  return past;
}

async function serve(socket: Socket): Promise<void> {
  const calls = frames<Call>(socket);
  const opening = await calls.next();
  if (opening.done) return;
  const [name] = opening.value.args as [string];
  const past = pasts.get(name) ?? begin();
  pasts.set(name, past);
  const { broker } = past;
  const subscriptions = new Map<number, Subscription>();
  const methods: Readonly<Record<string, (n: number, ...args: never[]) => unknown>> = {
    append(_n, ...args: Parameters<typeof broker.append>) {
      const outcome = broker.append(...args);
      return outcome.is === "stored" ? outcome : { ...outcome, error: flatten(outcome.error) };
    },
    read: (_n, ...args: Parameters<typeof broker.read>) => broker.read(...args),
    heads: (_n, ...args: Parameters<typeof broker.heads>) => broker.heads(...args),
    subscribe(n, spec: ChannelSpec) {
      const subscription = broker.subscribe(spec, (epoch, entries) =>
        send(socket, { is: "appended", time: broker.time(), subscription: n, epoch, entries }),
      );
      subscriptions.set(n, subscription);
      return subscription.head;
    },
    unsubscribe: (_n, subscription: number) => subscriptions.get(subscription)?.close(),
    forget: (_n, name: string) => broker.forget(name),
    advance: (_n, milliseconds: number) => void (past.ahead += milliseconds),
  };

  send(socket, { is: "hello", time: broker.time() });
  try {
    for await (const { n, method, args } of calls) {
      try {
        const value = methods[method]?.(n, ...(args as never[]));
        send(socket, { is: "answer", time: broker.time(), n, value });
      } catch (error) {
        send(socket, { is: "failure", time: broker.time(), n, error: flatten(error) });
      }
    }
  } finally {
    for (const subscription of subscriptions.values()) subscription.close();
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  // A server that was killed breaks its connection: that is what this process is there to outlive.
  serve(socket).catch(() => socket.destroy());
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify(address)}\n`);
});
process.stdin.resume().on("end", () => process.exit());
