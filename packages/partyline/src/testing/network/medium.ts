import type { Client, ClientOptions } from "../../client/client-types.ts";
import type { Clock, MaybePromise } from "../../core/ports.ts";
import type { Faults } from "../line/faults.ts";
import type { ClientPage } from "./page.ts";
import type { ServerHost } from "./test-server.ts";

/** The classes and functions by which a client reaches the network. */
export interface ClientNetwork {
  readonly WebSocket: typeof WebSocket;
  readonly fetch: typeof fetch;
}

/** The surroundings of one client. */
export interface ClientPlace {
  /** In memory alone. */
  readonly page?: ClientPage | undefined;
  /** Puts something between the client and its line, as a proxy or a browser's rules. */
  readonly through?: ((network: ClientNetwork) => ClientNetwork) | undefined;
}

/** A line as the network holds it. */
export interface MediumLine {
  readonly faults: Faults;
  readonly connections: number;
  /** Does nothing come through, one way at least, or to no server? */
  readonly blocked: boolean;
  /** Of the server, over this line. */
  readonly url: string;
  readonly fetch: typeof fetch;
  leadTo(host: ServerHost): void;
  /** Makes a client whose connections go over this line. */
  connect(options: ClientOptions, place?: ClientPlace): Client;
  close(): Promise<void>;
}

/** What a network is made of: bytes in memory and time that a test lets pass, or sockets and real time. */
export interface Medium {
  /** Do servers listen on ports? */
  readonly listens: boolean;
  readonly clock: Clock;
  /** Ms since 1970. */
  readonly now: () => number;
  readonly random: () => number;
  /** Passes on an answer of the test's own code; what is settled waits for it. */
  outside<T>(answer: MaybePromise<T>): MaybePromise<T>;
  openLine(host: ServerHost): Promise<MediumLine>;
  /** Resolves when all is said, and `open` no longer names something that is still to come. */
  settled(open: () => Promise<string | undefined>): Promise<void>;
  advance(milliseconds: number): Promise<void>;
  /** Lets time pass until this is answered. */
  until<T>(answer: Promise<T>): Promise<T>;
}
