import { backoffDelay } from "./backoff.ts";
import { createChannel, type OpenChannel } from "./channel.ts";
import type { Channel, ChannelOptions } from "./channel-types.ts";
import { type Codec, jsonCodec } from "./codec.ts";
import type { Client, ClientEvents, ClientOptions } from "./client-types.ts";
import { connectUrl } from "./connect-url.ts";
import { type Connection, createConnection } from "./connection.ts";
import type { ConnectionPort } from "./connection-port.ts";
import type { Core } from "./core.ts";
import { createEmitter } from "./emitter.ts";
import { closedError } from "./errors.ts";
import type { Transports } from "./link.ts";
import { globalRuntime, type Runtime } from "./runtime.ts";
import { readSettings } from "./settings.ts";
import { openWebSocket } from "./transports/ws.ts";
import type { Definitions, TypedClient } from "./typed-client.ts";

/** What tests replace. */
export interface World {
  readonly runtime: Runtime;
  readonly transports: Transports;
  /** @default jsonCodec */
  readonly codec?: Codec;
  readonly keeper: ConnectionPort["keeper"];
  /** Makes a connection that is shared with other tabs; not there where there are none. */
  readonly share?: (port: ConnectionPort, options: ClientOptions) => Promise<Connection>;
}

export const globalWorld: World = {
  runtime: globalRuntime,
  transports: {
    ws: () => openWebSocket,
    sse: async () => (await import("./transports/sse.ts")).openSse,
    poll: async () => (await import("./transports/poll.ts")).openPoll,
  },
  keeper: async (request) => (await import("./keeper.ts")).createKeeper(request),
  share: async (port, options) => (await import("./share/share.ts")).share(port, options),
};

/**
 * Connects to a partyline server and stays connected until `close()`.
 *
 * @param url The server's URL: `https://…`, `wss://…`, or relative to the page as `/`. `/connect` is added to its path,
 * its query is kept, its fragment is dropped.
 *
 * @throws TypeError if the URL is not an http(s) or ws(s) URL or has credentials, if an option is unknown or wrong, and
 * if the runtime has none of the transports.
 *
 * @example
 * ```ts
 * const client = createClient("/");
 * const room = client.channel<{ text: string }>("chat/general");
 * room.on("message", ({ data }) => console.log(data.text));
 * await room.publish({ text: "hello" });
 * ```
 *
 * @example With the types of the server's definitions.
 * ```ts
 * import type { channels } from "./channels.ts";
 *
 * const client = createClient<typeof channels>("/");
 * client.channel("chat/general").on("message", ({ data }) => console.log(data.text));
 * ```
 */
export function createClient(url: string | URL, options?: ClientOptions): Client;
export function createClient<D extends Definitions>(
  url: string | URL,
  options?: ClientOptions,
): TypedClient<D>;
export function createClient(url: string | URL, options?: ClientOptions): Client {
  return createClientIn(globalWorld, url, options);
}

/** As {@link createClient}, in a world of the caller's. */
export function createClientIn(
  { runtime, transports, codec = jsonCodec, keeper, share }: World,
  url: string | URL,
  options?: ClientOptions | null,
): Client {
  const settings = readSettings(options);

  const byUser = closedError("The client");
  const channels = new Map<string, OpenChannel>();
  const events = createEmitter<ClientEvents>(runtime.report);
  /** The broker's clock less the runtime's, as the newest welcome told it. */
  let ahead = 0;

  const core: Core & { messageBytes: number } = {
    runtime,
    codec,
    limits: settings,
    get link() {
      return connection.link;
    },
    messageBytes: Infinity,
    pendingPublishes: 0,
    pendingBytes: 0,
    brokerTime: () => runtime.now() + ahead,
    events,
    afterBackoff: (refusals, error, run) =>
      runtime.after(backoffDelay(refusals, settings, runtime.random, error), run),
  };

  const port: ConnectionPort = {
    runtime,
    transports,
    keeper,
    timing: settings,
    order: settings.transports,
    request: {
      ...settings,
      url: connectUrl(url),
      runtime,
      // Browsers refuse to call it as a method of something else. There may be none where there are WebSockets.
      fetch: settings.fetch?.bind(undefined),
    },
    async token() {
      const { token } = settings;
      return (typeof token === "function" ? await token() : token) || undefined;
    },
    host: {
      parse: codec.parse,
      wanted: () => [...channels.keys()].filter((name) => channels.get(name)?.subscription.wanted()),
      reader: (name) => channels.get(name)?.subscription,
      welcome(frame) {
        ahead = frame.time - runtime.now();
        core.messageBytes = frame.limits.messageBytes;
      },
    },
    connected(link) {
      for (const { publisher, subscription } of channels.values()) {
        subscription.connected();
        publisher.connected();
      }
      link.sync();
    },
    interrupted(live) {
      for (const { publisher, subscription } of channels.values()) {
        subscription.interrupted(live);
        if (!live) publisher.disconnected();
      }
    },
    changed(state) {
      // Closed by the user, iterators end; by the server, they throw its reason.
      const error = state.reason === byUser ? undefined : state.reason;
      if (state.status === "closed") for (const channel of [...channels.values()]) channel.close(error);
      events.emit("state", state);
    },
  };
  /** Where it is shared, what does that is loaded first; where it can't be, it is not shared. */
  const coming =
    settings.share &&
    share?.(port, settings)
      .catch(() => createConnection(port))
      .then((shared) => (connection = shared));
  // Only its state is looked at before the right one is there.
  let connection: Connection = coming
    ? ({ state: { status: "connecting", since: 0 } } as Connection)
    : createConnection(port);

  const openChannel = (spelling: string): OpenChannel => {
    // Two spellings of a name are one channel to the server, which has one reader for it on each connection.
    const name = spelling.normalize();
    let channel = channels.get(name);
    if (!channel) {
      channel = createChannel(name, core, () => channels.delete(name));
      channels.set(name, channel);
      keep?.(channel);
      if (core.link) channel.publisher.connected();
    }
    return channel;
  };
  const close = async (): Promise<void> => (coming && (await coming), connection.close(byUser));

  const keep = settings.outbox?.(core, port.request.url, openChannel);
  return {
    get state() {
      return connection.state;
    },
    channel<T>(name: string, channelOptions?: ChannelOptions) {
      const { status, reason } = connection.state;
      if (status === "closed") throw closedError("The client", reason);
      const { channel, setOptions } = openChannel(name);
      setOptions(channelOptions);
      return channel as Channel<T>;
    },
    on: events.on,
    switchTransport: async (name) => (await coming, connection.switchTo(name)),
    close,
    [Symbol.asyncDispose]: close,
  };
}
