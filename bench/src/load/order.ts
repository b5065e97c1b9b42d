/** What the load generator and who starts it tell each other. */

/** How a reader opens its connection, in bytes. `{channel}` stands for the number of its channel. */
export interface Wire {
  /** The request. */
  readonly opening: string;
  /** What is in its answer. */
  readonly opened: string;
  /** Text that is then sent as a WebSocket frame, and what is in the answer when the reader is subscribed. */
  readonly subscribe?: { readonly say: string; readonly answer: string };
  /** How its messages are counted: by the headers of frames that hold one each, or by the mark that each has. */
  readonly counts: "frames" | "marks";
  /** How it publishes over its own connection: text with `{message}`, and where needed `{n}`, `{id}` and `{now}`. */
  readonly says?: string;
}

/** Argument of the load generator. It opens the connections and tells {@link Opened}. */
export interface LoadOrder {
  readonly port: number;
  /** Process of the server, for its CPU time. */
  readonly server: number;
  readonly wire: Wire;
  readonly connections: number;
  /** A reader is in the channel of its number modulo this. */
  readonly channels: number;
  /** Messages that each reader is given when it comes. Default 0. */
  readonly awaits?: number;
}

export interface Opened {
  readonly open: number;
  readonly failed: number;
  readonly seconds: number;
  /** Of the server, µs. */
  readonly cpu: number;
  /** Messages and bytes that came meanwhile. */
  readonly received: number;
  readonly bytes: number;
}

/** Publishes at a rate, and tells {@link Phase}. */
export interface PublishOrder {
  /** Messages a second, of all publishers together. */
  readonly rate: number;
  readonly seconds: number;
  /** Bytes of a message. */
  readonly size: number;
  /** A path to post to with so many connections; without it readers publish over their own, each in its turn. */
  readonly posts?: { readonly path: string; readonly connections: number };
}

/** What came of it. */
export interface Phase {
  readonly published: number;
  /** Publishes that were not answered by success. */
  readonly refused: number;
  readonly expected: number;
  readonly received: number;
  /** Bytes that readers were sent. */
  readonly bytes: number;
  /** From the first publish to the last message. */
  readonly seconds: number;
  /** Of the server, µs. */
  readonly cpu: number;
  /** Of the load generator, as a part of one core. */
  readonly load: number;
  /** ms from when a message was due. */
  readonly p50: number;
  readonly p99: number;
}

/** Argument of the crowd, whose readers look at each message. */
export interface CrowdOrder {
  readonly port: number;
  readonly wire: Wire;
  readonly readers: number;
  /** What says now and then that a reader is there: a pong, or a text. */
  readonly alive?: "pong" | { readonly say: string };
}

/** What a crowd has had. */
export interface CrowdReport {
  readonly received: number;
  /** Messages missing without a word. */
  readonly lost: number;
  /** Readers whose connection was closed. */
  readonly closed: number;
  /** Readers that have everything. */
  readonly complete: number;
  /** Readers that miss something and were told what. */
  readonly told: number;
  /** Readers that are not at the end yet. */
  readonly behind: number;
  /** From publish to receipt, ms. */
  readonly latencies: readonly number[];
}

/** What the server of this library can be asked beside what its port is for. */
export type Asked =
  /** Publishes so many messages, and so many of them in one turn; answers {@link Filled}. */
  | {
      readonly do: "fill";
      readonly messages: number;
      readonly channels: number;
      readonly size: number;
      readonly together: number;
    }
  /** Answers `process.memoryUsage()` without garbage; needs `--expose-gc`. */
  | { readonly do: "memory" }
  /** Ends by itself, so that Node writes what it was asked to when it ends. */
  | { readonly do: "exit" };

export interface Filled {
  /** Of the last message. */
  readonly position: string;
  /** CPU time, µs. */
  readonly cpu: number;
}

/** What the server of ready bytes sends. */
export interface ReadyOptions {
  /** A file. */
  readonly recording: string;
  /** Which of its bytes are sent when a connection is there, when it first says something, and so on. */
  readonly parts: readonly (readonly [from: number, to: number])[];
}

/** Argument of the asker: each connection sends one publish, waits for its answer and sends the next. */
export interface AskOrder {
  readonly port: number;
  readonly server: number;
  /** How a WebSocket is opened, and what it says; without it, messages are posted to the path. */
  readonly wire?: Wire;
  readonly path: string;
  readonly connections: number;
  readonly size: number;
  readonly warm: number;
  readonly seconds: number;
}

export interface Answers {
  readonly answers: number;
  readonly refused: number;
  readonly seconds: number;
  /** Of the server, µs. */
  readonly cpu: number;
  /** Of the load generator, as a part of one core. */
  readonly load: number;
  /** From a question to its answer, ms. */
  readonly p50: number;
  readonly p99: number;
}

/** Argument of a consumer; it tells {@link Consumed}. */
export interface ConsumeOrder {
  readonly port: number;
  /** Messages before those that are measured; the first one comes when the connection is made. */
  readonly warm: number;
  readonly messages: number;
  /** With what they are received. */
  readonly by: "partyline/client" | "WebSocket";
}

export interface Consumed {
  /** Those that were measured. */
  readonly messages: number;
  readonly seconds: number;
  /** Of the consumer, µs. */
  readonly cpu: number;
}

/**
 * Argument of the frugal readers. They say when they are open, are told to begin, say when it is warm and when it has been
 * measured, and report.
 */
export interface FrugalOrder {
  readonly port: number;
  readonly readers: number;
  readonly channels: number;
  readonly size: number;
  readonly warm: number;
  readonly seconds: number;
}

/** What they have had. */
export interface FrugalReport {
  readonly deliveries: number;
  readonly seconds: number;
  /** Of the load generator, as a part of one core. */
  readonly load: number;
  /** Messages of the whole run that did not come. */
  readonly lost: number;
}
