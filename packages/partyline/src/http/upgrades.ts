import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { parseChannelPath } from "../protocol/channel-name.ts";
import { PartylineError } from "../protocol/errors.ts";
import { SUBPROTOCOL } from "../protocol/frames.ts";
import { connectFrameBytes } from "../protocol/limits.ts";
import { parseSince } from "../protocol/position.ts";
import { ConnectWebSocket } from "../transports/connect-websocket.ts";
import { RawWebSocket } from "../transports/raw-websocket.ts";
import type { Guest } from "../transports/registry.ts";
import { asksForWebSocket, isStreamRequest } from "../transports/stream-request.ts";
import { createHandshakes, type Handshakes } from "../transports/websocket-server.ts";
import { problemAnswer } from "./answers.ts";
import { NodeExchange } from "./node-exchange.ts";
import { afterEarlier, type NodeHost } from "./node-host.ts";
import { destroyThis, writeRawAnswer } from "./raw-answer.ts";
import { type Route, splitTarget } from "./routes.ts";
import { admitAttach, admitAttaches, goingAway, paceOf, refusal, takeSeat } from "./service.ts";

/** `ws` asks for nothing else, and a client may be of an older draft. */
const VERSION_HEADER = ["Sec-WebSocket-Version", "13"];

/** What came with a request to upgrade. */
interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly exchange: NodeExchange;
}

/** Node's `upgrade` event: WebSockets, and the event streams that take the same way. */
export class Upgrades {
  readonly #host: NodeHost;
  readonly #raw: Handshakes;
  readonly #connect: Handshakes;
  readonly #admit: (guest: Guest) => void;

  constructor(host: NodeHost) {
    this.#host = host;
    this.#admit = (guest) => admitAttach(host.service, guest);
    const { limits } = host.service.engine;
    const compression = host.service.compression !== undefined;
    const refused = (socket: Duplex, problem: string): void => {
      const error = new PartylineError("bad-frame", `${problem}.`, {
        remedy: "Shake hands as RFC 6455 has it, version 13.",
      });
      writeRawAnswer(socket, problemAnswer(error, VERSION_HEADER), host.base);
    };
    this.#raw = createHandshakes({
      limits,
      maxPayload: limits.messageBytes,
      subprotocol: undefined,
      compression,
      refused,
    });
    this.#connect = createHandshakes({
      limits,
      maxPayload: connectFrameBytes(limits),
      subprotocol: SUBPROTOCOL,
      compression,
      refused,
    });
  }

  /** False where the path is none of ours: nothing was done. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const { path, query } = splitTarget(request.url ?? "/");
    const route = this.#host.service.router(path);
    if (!route) return false;
    socket.on("error", destroyThis);
    // Not `request.upgrade`, which Node sets for both; and `head` of a stream is dropped with all else that comes.
    if (isStreamRequest(request)) {
      afterEarlier(socket, () => this.#host.upgradedStream(request, socket, route, query));
      return true;
    }
    afterEarlier(socket, () => this.#begin(request, socket, head, { route, query }));
    return true;
  }

  #begin(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { route, query }: { readonly route: Route; readonly query: string },
  ): void {
    const exchange = new NodeExchange(request, route, query, { address: this.#host.address(request) });
    this.#webSocket({ request, socket, head, exchange }).catch((error: unknown) => {
      if (socket.destroyed) return;
      writeRawAnswer(socket, refusal(this.#host.service, exchange, error), this.#host.base);
    });
  }

  async #webSocket(upgrade: Upgrade): Promise<void> {
    const { exchange, request } = upgrade;
    this.#host.admit(exchange);
    if (this.#host.service.phase.is !== "serving") throw goingAway(this.#host.service);
    if (!asksForWebSocket(request.headers.upgrade))
      throw new PartylineError("bad-frame", "Only `websocket` can be upgraded to.");
    switch (exchange.route.is) {
      case "channel":
        return this.#channel(upgrade, exchange.route.name);
      case "connect":
        return this.#talk(upgrade);
      case "events":
      case "probe":
        throw new PartylineError("wrong-method", "There are no WebSockets here.");
    }
  }

  async #channel({ request, socket, head, exchange }: Upgrade, name: string): Promise<void> {
    const { service } = this.#host;
    const channel = parseChannelPath(name);
    const query = new URLSearchParams(exchange.query);
    const since = parseSince(query.get("since"));
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
    const webSocket = this.#raw.complete(request, socket, head);
    if (!webSocket) return connection.abandon();
    socket.removeListener("error", destroyThis);
    connection.begin(webSocket, socket);
    connection.start();
  }

  #talk({ request, socket, head, exchange }: Upgrade): void {
    const { service } = this.#host;
    const offered = request.headers["sec-websocket-protocol"];
    if (offered !== undefined && !offered.split(",").some((one) => one.trim() === SUBPROTOCOL))
      throw new PartylineError(
        "version",
        `None of the subprotocols is spoken here: ${offered.slice(0, 80)}.`,
      );
    const antechamber = service.admission.enterUnknown();
    let seat;
    try {
      seat = takeSeat(service, exchange);
    } catch (error) {
      antechamber.leave();
      throw error;
    }
    const credentials = exchange.credentials();
    const connection = new ConnectWebSocket(service, { seat, antechamber, credentials, admit: this.#admit });
    const webSocket = this.#connect.complete(request, socket, head);
    if (!webSocket) return connection.abandon();
    socket.removeListener("error", destroyThis);
    connection.begin(webSocket, socket);
  }
}
