/**
 * A broker whose past outlives the servers that use it: the memory broker in a process of its own.
 *
 * @example
 * ```ts
 * await using past = await startBrokerProcess();
 * const server = createPartyline({ broker: await connectBroker(past.port) }); // in this process or in another
 * await server.close(); // or SIGKILL
 * const next = createPartyline({ broker: await connectBroker(past.port) }); // goes on in the same epochs
 * ```
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import type {
  AppendListener,
  AppendOutcome,
  Broker,
  ChannelSpec,
  Head,
  NewMessage,
  Page,
  PageLimit,
  Subscription,
} from "../../../src/core/ports.ts";
import { PartylineError } from "../../../src/protocol/errors.ts";
import type { Position, Since } from "../../../src/protocol/position.ts";
import { type FlatError, frames, revive, send, type Told } from "./wire.ts";

/** The process that holds the pasts. */
export interface BrokerProcess extends AsyncDisposable {
  /** For {@link connectBroker}, in any process. */
  readonly port: number;
}

/** Starts a broker without channels in a process of its own; it ends with this one at the latest. */
export async function startBrokerProcess(): Promise<BrokerProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "child.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const [line] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer | number];
  if (!(line instanceof Buffer)) throw new Error("The broker's process ended before it listened.");
  const { port } = JSON.parse(line.toString()) as { port: number };
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A {@link Broker} that asks a {@link BrokerProcess}, and what a test may do to that. */
export interface RemoteBroker extends Broker {
  append(channel: ChannelSpec, messages: readonly NewMessage[]): Promise<AppendOutcome>;
  read(channel: ChannelSpec, since: Since, limit: PageLimit): Promise<Page | undefined>;
  subscribe(channel: ChannelSpec, listener: AppendListener): Promise<Subscription>;
  heads(names: readonly string[]): Promise<readonly (Head | undefined)[]>;
  /** Ends the life of the channel's log. */
  forget(name: string): Promise<void>;
  /** Moves the clock of the process, for all who use it; also backwards. */
  advance(milliseconds: number): Promise<void>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: PartylineError) => void;
}

type SentOutcome =
  | Exclude<AppendOutcome, { is: "refused" }>
  | { readonly is: "refused"; readonly index: number; readonly error: FlatError };

/**
 * Connects to a {@link BrokerProcess}. Once the connection is lost, what is under way and every later call rejects:
 * whoever needs it further connects anew.
 *
 * @param past One process holds many, each with channels and a clock of its own: who names another begins without one.
 */
export async function connectBroker(port: number, past = ""): Promise<RemoteBroker> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<number, AppendListener>();
  let calls = 0;
  let lost: PartylineError | undefined;
  /** The newest time told, and when that was by this process's clock. */
  let told = { time: 0, at: 0 };
  let newest = 0;

  const hear = (frame: Told): void => {
    told = { time: frame.time, at: performance.now() };
    switch (frame.is) {
      case "hello":
        return;
      case "appended":
        return listeners.get(frame.subscription)?.(frame.epoch, frame.entries);
      case "answer":
        waiting.get(frame.n)?.resolve(frame.value);
        break;
      case "failure":
        waiting.get(frame.n)?.reject(revive(frame.error));
    }
    waiting.delete(frame.n);
  };
  const lose = (): void => {
    lost ??= new PartylineError("draining", "The connection to the broker's process is gone.");
    for (const { reject } of waiting.values()) reject(lost);
    waiting.clear();
    listeners.clear();
  };
  const call = (method: string, ...args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (lost) throw lost;
      waiting.set(++calls, { resolve, reject });
      send(socket, { n: calls, method, args });
    });

  const incoming = frames<Told>(socket);
  send(socket, { n: 0, method: "open", args: [past] });
  const first = await incoming.next();
  if (first.done) throw new Error("The broker's process has hung up.");
  hear(first.value);
  const reading = (async () => {
    try {
      // Each frame is a microtask of its own: a listener is not called before `subscribe` has answered.
      for await (const frame of incoming) hear(frame);
    } catch {
      // Broken rather than ended; it comes to the same.
    } finally {
      lose();
    }
  })();

  return {
    capabilities: { name: "remote", stored: "memory", shared: true },
    async append(channel, messages) {
      const outcome = (await call("append", channel, messages)) as SentOutcome;
      return outcome.is === "stored" ? outcome : { ...outcome, error: revive(outcome.error) };
    },
    read: (channel, since, limit) => call("read", channel, since, limit) as Promise<Page | undefined>,
    async subscribe(channel, listener) {
      const subscribing = call("subscribe", channel);
      const n = calls;
      listeners.set(n, listener);
      const head = (await subscribing) as Position;
      return {
        head,
        close() {
          if (listeners.delete(n) && !lost) void call("unsubscribe", n).catch(() => undefined);
        },
      };
    },
    heads: (names) => call("heads", names) as Promise<readonly (Head | undefined)[]>,
    time: () => (newest = Math.max(newest, Math.floor(told.time + performance.now() - told.at))),
    async close() {
      lose();
      socket.destroy();
      await reading;
    },
    forget: (name) => call("forget", name) as Promise<void>,
    advance: (milliseconds) => call("advance", milliseconds) as Promise<void>,
  };
}
