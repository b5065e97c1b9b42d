/** Bounds on what comes from outside; each breach has its own error code. Sizes in bytes, times in ms. */
export interface Limits {
  /** Data of one message (`too-large`, close 1009). Default 64 KiB. */
  readonly messageBytes: number;
  /** Channels attached on one connection (`too-many-channels`, close 4409). Default 256. */
  readonly channelsPerConnection: number;
  /**
   * Commands per second of one connection, in the long run. A WebSocket is read no further until it has paid; in a
   * `POST /connect` the commands above the rate are refused (`rate-limited`).
   *
   * @default 1_000
   */
  readonly commandsPerSecond: number;
  /**
   * Commands at once after a quiet time.
   *
   * @default 5_000
   */
  readonly commandBurst: number;
  /** Publishes of one channel that wait for the broker (`overloaded`). Default 10 000. */
  readonly pendingPublishes: number;
  /**
   * Bytes that all channels of a server's own memory broker take together, for messages as retention counts them and for
   * publish ids (`overloaded`). Idle histories go before, longest idle first. A broker that you pass has its own bounds.
   *
   * @default 512 MiB
   */
  readonly logBytes: number;
  /**
   * Lines of one `POST /connect`, or of one WebSocket frame there, empty ones among them (`too-large`, close 4413).
   *
   * @default 1_000
   */
  readonly linesPerRequest: number;
  /** Connections at once (`too-many-connections`). Default 1 000 000. */
  readonly connections: number;
  /** Connections at once from one address; IPv6 by /64; loopback is exempt (`too-many-connections`). Default 1 000. */
  readonly connectionsPerAddress: number;
  /** Connections that have not said `hello` yet (`too-many-connections`). Default 1 000. */
  readonly unauthenticatedConnections: number;
  /** Memory for request bodies of senders that have not said `hello` yet (`overloaded`). Default 16 MiB. */
  readonly unauthenticatedBytes: number;
  /**
   * Fewest bytes per second, over any 10 s, at which a request body must arrive (`body-timeout`); frames on a WebSocket
   * likewise (the connection is closed). Default 256.
   */
  readonly uploadBytesPerSecond: number;
  /**
   * Channels a second that this node lets readers attach who come anew, in the long run (`overloaded`); polls that go
   * on do not count. Default 10 000; `Infinity` for no limit.
   */
  readonly attachesPerSecond: number;
  /** Such attaches at once after a quiet time (`overloaded`). Default 50 000. */
  readonly attachBurst: number;
  /** Time until `hello` (close 4401). Default 10 000. */
  readonly helloTimeout: number;
  /** Most messages of one history answer (`bad-limit`). Default 1 000. */
  readonly historyMessages: number;
  /** Most bytes of data of one history answer; more is left to the next. Default 1 MiB. */
  readonly historyBytes: number;
  /** Longest `wait` of a long poll, in seconds: a longer one is `bad-limit`, or on `/connect` answered by then. Default 55. */
  readonly waitSeconds: number;
  /** Fragments of one WebSocket message (close 1008). Default 16 384. */
  readonly fragments: number;
  /** How long a reader that takes no byte is kept (close 4504). Default 60 000. */
  readonly slowReader: number;
}

/** The defaults of {@link Limits}. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  messageBytes: 64 * 1024,
  channelsPerConnection: 256,
  commandsPerSecond: 1_000,
  commandBurst: 5_000,
  pendingPublishes: 10_000,
  logBytes: 512 * 1024 * 1024,
  linesPerRequest: 1_000,
  connections: 1_000_000,
  connectionsPerAddress: 1_000,
  unauthenticatedConnections: 1_000,
  unauthenticatedBytes: 16 * 1024 * 1024,
  uploadBytesPerSecond: 256,
  attachesPerSecond: 10_000,
  attachBurst: 50_000,
  helloTimeout: 10_000,
  historyMessages: 1_000,
  historyBytes: 1024 * 1024,
  waitSeconds: 55,
  fragments: 16_384,
  slowReader: 60_000,
});

/** Largest frame on `/connect`: a message in JSON, where one byte may become six (`\u0000`), and its envelope. */
export function connectFrameBytes(limits: Pick<Limits, "messageBytes">): number {
  return limits.messageBytes * 6 + 4096;
}

/** Most bytes that a WebSocket may send before its `hello`, which may hold a token as long as request headers may be. */
export const HELLO_BYTES: number = 16 * 1024;

/** A page of catch-up: the first bound reached ends it. */
export const PAGE_MESSAGES = 256;
/** See {@link PAGE_MESSAGES}. */
export const PAGE_BYTES = 64 * 1024;

/** Most channels in one `/events` URL. */
export const EVENTS_CHANNELS = 32;
