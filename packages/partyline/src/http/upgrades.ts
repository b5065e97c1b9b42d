import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { parseChannelPath } from "../protocol/channel-name.ts";
import { PartylineError } from "../protocol/errors.ts";
import { SUBPROTOCOL } from "../protocol/frames.ts";
import { connectFrameBytes, HELLO_BYTES } from "../protocol/limits.ts";
import { parseSince } from "../protocol/position.ts";
import { ConnectWebSocket } from "../transports/connect-websocket.ts";
import { RawWebSocket } from "../transports/raw-websocket.ts";
import type { Guest } from "../transports/registry.ts";
import { asksForWebSocket, isStreamRequest, markStream, streamMark } from "../transports/stream-request.ts";
import type { FrameRules } from "../transports/frame-reader.ts";
import type { WebSocketConnection } from "../transports/websocket-connection.ts";
import {
  type Handshake,
  handshakeHead,
  readHandshake,
  WEBSOCKET_VERSION,
} from "../transports/websocket-handshake.ts";
import { afterEarlier } from "./answer-queue.ts";
import { problemAnswer } from "./answers.ts";
import { fail, guard } from "./lead.ts";
import { NodeExchange } from "./node-exchange.ts";
import { keepStream, type NodeHost } from "./node-host.ts";
import { destroyThis, writeRawAnswer } from "./raw-answer.ts";
import { readTarget } from "./request-head.ts";
import { resumeText } from "./resume.ts";
import type { Route } from "./routes.ts";
import { admitAttach, admitAttaches, goingAway, paceOf, refusal, takeSeat } from "./service.ts";

/** A client whose handshake is at fault may be of another draft. */
const VERSION_HEADER = ["Sec-WebSocket-Version", WEBSOCKET_VERSION];

/** What came with a request to upgrade. */
interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly exchange: NodeExchange;
}

/** By whether messages are compressed; one for all connections. */
interface Rules {
  readonly plain: FrameRules;
  readonly deflate: FrameRules;
}

/** Node's `upgrade` event: WebSockets, and the event streams that take the same way. */
export class Upgrades {
  readonly #host: NodeHost;
  readonly #raw: Rules;
  readonly #connect: Rules;
  readonly #admit: (guest: Guest) => void;

  constructor(host: NodeHost) {
    this.#host = host;
    this.#admit = (guest) => admitAttach(host.service, guest);
    const { limits } = host.service.engine;
    const rules = (messageBytes: number): Rules => {
      const { fragments } = limits;
      return {
        plain: { messageBytes, fragments, inflates: false },
        deflate: { messageBytes, fragments, inflates: true },
      };
    };
    this.#raw = rules(limits.messageBytes);
    const hello = rules(HELLO_BYTES);
    const welcomed = rules(connectFrameBytes(limits));
    this.#connect = {
      plain: { ...hello.plain, welcomed: welcomed.plain },
      deflate: { ...hello.deflate, welcomed: welcomed.deflate },
    };
  }

  /** False where the path is none of ours: nothing was done. */
  upgrade(newest: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const mark = streamMark(newest.socket);
    if (typeof mark === "string") {
      // If no stream is the answer after all, nobody reads the socket any more: it ends with that answer.
      markStream(newest.socket, "passed");
      keepStream(newest.socket);
      return true;
    }
    // The request of a stream, if another one was sent behind it.
    const request = mark ?? newest;
    if (mark) markStream(newest.socket, "streaming");
    const { path, query } = readTarget(request);
    const route = this.#host.service.router(path);
    if (!route) return false;
    socket.on("error", destroyThis);
    afterEarlier(this.#host.service.engine.work, request.socket, undefined, () => {
      try {
        // Not `request.upgrade`, which Node sets for both; and `head` of a stream is dropped with all else that comes.
        if (isStreamRequest(request, () => route.is))
          this.#host.upgradedStream(request, socket, route, query);
        else this.#begin(request, socket, head, { route, query });
      } catch (error) {
        fail(this.#host.service, error, socket);
      }
    });
    return true;
  }

  #begin(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { route, query }: { readonly route: Route; readonly query: string },
  ): void {
    const exchange = new NodeExchange(request, route, query, { address: this.#host.address(request) });
    const { service, base } = this.#host;
    this.#webSocket({ request, socket, head, exchange }).catch((error: unknown) => {
      const refused = (): void =>
        writeRawAnswer(socket, refusal(service, exchange, error), base, exchange.method);
      if (!socket.destroyed) guard(service, refused, socket);
    });
  }

  async #webSocket(upgrade: Upgrade): Promise<void> {
    const { exchange, request } = upgrade;
    const { service } = this.#host;
    this.#host.admit(exchange);
    if (service.phase.is !== "serving") throw goingAway(service);
    if (request.httpVersionMinor === 0)
      throw new PartylineError("bad-frame", "HTTP/1.0 has no upgrades.", {
        remedy: "Send the request as HTTP/1.1.",
      });
    if (!asksForWebSocket(request.headers.upgrade))
      throw new PartylineError("bad-frame", "Only `websocket` can be upgraded to.");
    if (request.method !== "GET") throw new PartylineError("wrong-method", "A WebSocket begins with a GET.");
    const handshake = this.#handshake(upgrade);
    if (!handshake) return;
    switch (exchange.route.is) {
      case "channel":
        return this.#channel(upgrade, handshake, exchange.route.name);
      case "connect":
        return this.#talk(upgrade, handshake);
      case "events":
      case "probe":
        throw new PartylineError("wrong-method", "There are no WebSockets here.");
    }
  }

  /** `undefined` where it is at fault, which has been told. */
  #handshake({ request, socket }: Upgrade): Handshake | undefined {
    const { compression, engine } = this.#host.service;
    try {
      return readHandshake(request.headers, compression !== undefined);
    } catch (fault) {
      if (!(fault instanceof SyntaxError)) throw fault;
      const error = new PartylineError("bad-frame", fault.message, {
        remedy: "Shake hands as RFC 6455 has it, version 13.",
      });
      engine.metrics.count("refused", error.code);
      writeRawAnswer(socket, problemAnswer(error, VERSION_HEADER), this.#host.base, request.method);
      return undefined;
    }
  }

  async #channel(upgrade: Upgrade, handshake: Handshake, name: string): Promise<void> {
    const { service } = this.#host;
    const { exchange } = upgrade;
    const channel = parseChannelPath(name);
    const query = exchange.query === "" ? undefined : new URLSearchParams(exchange.query);
    const since = parseSince(resumeText(exchange, query));
    const pace = paceOf(query);
    const grants = await service.engine.authenticate(exchange);
    admitAttaches(service, 1);
    const connection = new RawWebSocket(service, takeSeat(service, exchange), grants);
    try {
      await connection.attach(channel, since, pace);
    } catch (error) {
      connection.abandon();
      throw error;
    }
    this.#open(upgrade, handshake, connection, this.#raw);
  }

  #talk(upgrade: Upgrade, handshake: Handshake): void {
    const { service } = this.#host;
    const { request, exchange } = upgrade;
    const offered = request.headers["sec-websocket-protocol"];
    if (offered !== undefined && !offered.split(",").some((one) => one.trim() === SUBPROTOCOL))
      throw new PartylineError(
        "version",
        `None of the subprotocols is spoken here: ${offered.slice(0, 80)}.`,
      );
    const antechamber = service.admission.enterUnknown();
    let seat;
    let connection;
    try {
      seat = takeSeat(service, exchange);
      const credentials = exchange.credentials();
      connection = new ConnectWebSocket(service, { seat, antechamber, credentials, admit: this.#admit });
    } catch (error) {
      antechamber.leave();
      seat?.leave();
      throw error;
    }
    this.#open(
      upgrade,
      handshake,
      connection,
      this.#connect,
      offered === undefined ? undefined : SUBPROTOCOL,
    );
  }

  #open(
    { socket, head }: Upgrade,
    handshake: Handshake,
    connection: WebSocketConnection,
    rules: Rules,
    subprotocol?: string,
  ): void {
    if (!socket.readable || !socket.writable) {
      socket.destroy();
      return connection.abandon();
    }
    const { deflate } = handshake;
    // A limit on the quiet of a request; a WebSocket has limits of its own.
    if (socket instanceof Socket) socket.setTimeout(0).setNoDelay();
    socket.write(handshakeHead(handshake, subprotocol));
    const terms = {
      rules: deflate ? rules.deflate : rules.plain,
      deflates: deflate?.deflates === true,
    };
    // No answer has a place behind the handshake.
    guard(this.#host.service, () => connection.begin(socket, head, terms), connection);
  }
}
