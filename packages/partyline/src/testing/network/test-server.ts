import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Partyline, ServerChannel } from "../../server.ts";
import type { Crossing } from "../line/faults.ts";
import { createLife, type Life } from "./life.ts";

/** A server of a test network: it can crash, and be started again at the same address. */
export interface TestServer {
  /** The server that runs now; a restart brings another one. @throws Error while none runs. */
  readonly partyline: Partyline;
  /** A channel of it. */
  channel<T = unknown>(name: string): ServerChannel<T>;
  /** Ends it without a word: connections break, timers and what it was doing are gone. */
  crash(): void;
  /** Ends it in good order, as a deploy does; time passes as far as its connections take that. */
  stop(): Promise<void>;
  /** Starts it again at the same address, after a crash or a stop. */
  restart(): Promise<void>;
}

/** One run of it, from a start to a crash or a stop. */
interface Run {
  readonly life: Life;
  readonly partyline: Partyline;
  readonly http: Server;
  readonly sockets: Set<Duplex>;
}

/** What a {@link ServerHost} is told. */
export interface ServerHostOptions {
  /** Does it listen on a port, or is it handed its connections? */
  readonly listens: boolean;
  readonly create: (life: Life) => Partyline;
  /** Lets time pass until this is answered. */
  readonly until: <T>(answer: Promise<T>) => Promise<T>;
  /** It has crashed or stopped. */
  readonly ended: () => void;
}

/** A {@link TestServer}, as the network sees it. */
export class ServerHost implements TestServer {
  readonly #options: ServerHostOptions;
  #run: Run | undefined;
  /** Where it listens, 0 where it does not. */
  port = 0;
  /** Connections that go by no port, kept by the lines that they go over. */
  readonly crossings = new Set<Crossing>();

  constructor(options: ServerHostOptions) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#run !== undefined;
  }

  get partyline(): Partyline {
    if (!this.#run) throw new Error("The server does not run: it has crashed or was stopped.");
    return this.#run.partyline;
  }

  channel<T = unknown>(name: string): ServerChannel<T> {
    return this.partyline.channel<T>(name);
  }

  async restart(): Promise<void> {
    if (this.#run) throw new Error("The server runs: let it crash, or stop it, before it is started again.");
    const life = createLife();
    const partyline = this.#options.create(life);
    const http = createServer({ IncomingMessage: partyline.IncomingMessage });
    const sockets = new Set<Duplex>();
    http.on("connection", (socket: Duplex) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    partyline.attach(http);
    this.#run = { life, partyline, http, sockets };
    if (!this.#options.listens) return;
    http.listen(this.port, "127.0.0.1");
    await once(http, "listening");
    ({ port: this.port } = http.address() as AddressInfo);
  }

  /** Takes a connection that comes by no port; false where nobody is there. */
  accept(socket: Duplex): boolean {
    return this.#run?.http.emit("connection", socket) ?? false;
  }

  /** Does its process do nothing? Then its connections, which go by no port, stand still. */
  get stopped(): boolean {
    return this.#run?.life.stopped ?? false;
  }

  /** Lets its process do nothing, as by SIGSTOP. */
  halt(): void {
    this.#run?.life.stop();
  }

  /** Lets it go on, with all that has come meanwhile. */
  goOn(): void {
    this.#run?.life.goOn();
    this.#wake();
  }

  #wake(): void {
    for (const crossing of [...this.crossings]) crossing.changed();
  }

  crash(): void {
    if (!this.#run) throw new Error("The server does not run.");
    this.end();
  }

  async stop(): Promise<void> {
    const { partyline } = this;
    await this.#options.until(partyline.close());
    if (this.#run?.partyline === partyline) this.end();
  }

  /** As a crash, where there is something to end. */
  end(): void {
    const run = this.#run;
    if (!run) return;
    this.#run = undefined;
    run.life.end();
    run.http.close();
    for (const socket of [...run.sockets]) socket.destroy();
    // What was held back while it was stopped comes through, and then the end.
    this.#wake();
    this.#options.ended();
  }
}

/** What the network made it of. */
export function hostOf(server: TestServer): ServerHost {
  if (server instanceof ServerHost) return server;
  throw new TypeError("This is no server of a test network.");
}
