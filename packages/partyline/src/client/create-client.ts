import { closedError } from "./errors.ts";
import { backoffDelay } from "./backoff.ts";
import { createChannel, type OpenChannel } from "./channel.ts";
import type { Channel } from "./channel-types.ts";
import type { Client, ClientEvents, ClientOptions } from "./client-types.ts";
import { createConnection } from "./connection.ts";
import { createEmitter } from "./emitter.ts";
import type { Transport, TransportName } from "./link.ts";
import { globalRuntime, type Runtime } from "./runtime.ts";
import { openWebSocket } from "./transports/ws.ts";

/** The defaults of {@link ClientOptions}. */
const DEFAULTS = {
  baseDelay: 500,
  maxDelay: 30_000,
  openTimeout: 3000,
  stableAfter: 10_000,
  upgradeInterval: 60_000,
  pingInterval: 25_000,
  pongTimeout: 10_000,
  bufferedMessages: 1000,
  bufferedBytes: 1024 * 1024,
  pendingPublishes: 10_000,
  pendingBytes: 8 * 1024 * 1024,
};

/** What tests replace. */
export interface World {
  readonly runtime: Runtime;
  readonly transports: Readonly<Record<TransportName, Transport>>;
}

const globalWorld: World = {
  runtime: globalRuntime,
  transports: { ws: openWebSocket, sse: openWebSocket, poll: openWebSocket },
};

/**
 * Connects to a partyline server and stays connected until `close()`.
 *
 * @param url Of the server: `https://…`, `wss://…`, or relative to the page as `/`; `/connect` is added.
 *
 * @example
 * ```ts
 * const client = createClient("/");
 * const room = client.channel<{ text: string }>("chat/general");
 * room.on("message", ({ data }) => console.log(data.text));
 * await room.publish({ text: "hello" });
 * ```
 */
export function createClient(url: string | URL, options: ClientOptions = {}): Client {
  return createClientIn(globalWorld, url, options);
}

/** As {@link createClient}, in a world of the caller's. */
export function createClientIn(world: World, url: string | URL, options: ClientOptions = {}): Client {
  const { runtime, transports } = world;
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings: ClientOptions & typeof DEFAULTS = {
    ...DEFAULTS,
    ...(Object.fromEntries(given) as ClientOptions),
  };
  const channels = new Map<string, OpenChannel>();
  const events = createEmitter<ClientEvents>((error) => runtime.report(error));
  const room = {
    publishes: 0,
    bytes: 0,
    maxPublishes: settings.pendingPublishes,
    maxBytes: settings.pendingBytes,
  };
  /** The broker's clock as the newest welcome told it, and when that was. */
  let clock = { time: Date.now(), at: runtime.now() };
  let messageBytes = Number.POSITIVE_INFINITY;
  let connections = 0;

  const { WebSocket = globalThis.WebSocket, fetch = globalThis.fetch } = settings;
  const usable = (settings.transports ?? ["ws"]).filter(
    (name) => (name === "ws" ? WebSocket : fetch) !== undefined,
  );
  if (usable.length === 0) throw new TypeError("No transport: pass `WebSocket` or `fetch` in the options.");

  const connection = createConnection({
    runtime,
    transports,
    timing: settings,
    order: usable,
    request: {
      url: connectUrl(url),
      runtime,
      timing: settings,
      fetch: (...request) => fetch(...request),
      WebSocket,
      headers: settings.headers ?? {},
    },
    token: async () => (typeof settings.token === "function" ? settings.token() : settings.token),
    host: {
      wanted: () => [...channels].filter(([, { subscription }]) => subscription.wanted).map(([name]) => name),
      attaching: (name, stream) => channels.get(name)?.subscription.attaching(stream),
      attached: (name, frame, stream) => channels.get(name)?.subscription.attached(frame, stream),
      attachRefused: (name, frame, stream) => channels.get(name)?.subscription.refused(frame, stream),
      frame: (name, frame, epoch, size) => channels.get(name)?.subscription.frame(frame, epoch, size),
      welcome(frame) {
        clock = { time: frame.time, at: runtime.now() };
        messageBytes = frame.limits.messageBytes;
      },
      error: () => undefined,
    },
    connected(link) {
      connections++;
      link.sync();
      for (const { publisher } of channels.values()) publisher.connected(connections);
    },
    disconnected() {
      for (const { publisher, subscription } of channels.values()) {
        subscription.disconnected();
        publisher.disconnected();
      }
    },
    abandoned() {
      for (const { subscription } of channels.values()) subscription.abandoned();
    },
    changed(state) {
      if (state.status === "closed") {
        // By the user: iterators end. By the server: they throw its reason.
        const reason = state.reason?.code === "closed" ? undefined : state.reason;
        for (const { close } of [...channels.values()]) close(reason);
      }
      events.emit("state", state);
      if (state.status === "closed") events.clear();
    },
  });

  const afterBackoff = (refusals: number, retryAfter: number | undefined, run: () => void): (() => void) =>
    runtime.after(
      backoffDelay(refusals, settings, () => runtime.random(), retryAfter),
      run,
    );

  const addChannel = (name: string, channelOptions: Parameters<Client["channel"]>[1]): OpenChannel => {
    const added = createChannel(name, channelOptions ?? {}, {
      limits: settings,
      room,
      sync: () => connection.link?.sync(),
      reattach: () => connection.link?.reattach(name),
      afterBackoff,
      brokerTime: () => clock.time + runtime.now() - clock.at,
      report: (error) => runtime.report(error),
      send: (command) => connection.link?.send(command),
      connection: () => (connection.link ? connections : undefined),
      randomBytes: () => runtime.randomBytes(),
      messageBytes: () => messageBytes,
      closed() {
        channels.delete(name);
        connection.link?.sync();
      },
    });
    channels.set(name, added);
    if (connection.link) added.publisher.connected(connections);
    return added;
  };

  const close = async (): Promise<void> => connection.close(closedError("The client"));

  return {
    get state() {
      return connection.state;
    },
    channel<T>(name: string, channelOptions?: Parameters<Client["channel"]>[1]) {
      if (connection.state.status === "closed") throw closedError("The client", connection.state.reason);
      const { channel } = channels.get(name) ?? addChannel(name, channelOptions);
      return channel as Channel<T>;
    },
    on: (event, listener) => events.on(event, listener),
    switchTransport: (name) => connection.switchTo(name),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function connectUrl(url: string | URL): string {
  const full = new URL(url, globalThis.location?.href);
  full.protocol = full.protocol.replace("ws", "http");
  full.pathname = `${full.pathname.replace(/\/$/, "")}/connect`;
  return full.href;
}
