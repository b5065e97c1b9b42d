import { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/**
 * Whether this `Accept` header asks for an event stream (RFC 9110, section 12.5.1): it names one, with a weight above 0 that
 * is not below that of JSON.
 */
export function asksForStream(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  if (accept === "text/event-stream") return true;
  if (!/event-stream/i.test(accept)) return false;
  let [stream, json] = [0, 0];
  for (const range of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (type !== "text/event-stream" && type !== "application/json") continue;
    const quality = parameters.find((parameter) => /^q *=/.test(parameter));
    const weight = quality === undefined ? 1 : Number(quality.slice(quality.indexOf("=") + 1)) || 0;
    if (type === "application/json") json = weight;
    else stream = weight;
  }
  return stream > 0 && stream >= json;
}

/** Does this `Upgrade` header ask for a WebSocket? */
export function asksForWebSocket(upgrade: string | undefined): boolean {
  return upgrade !== undefined && upgrade.toLowerCase() === "websocket";
}

/** Does this Node read a request's body also where it hands over its socket? Older ones leave it to whoever takes that. */
const READS_BODIES = Number.parseInt(process.versions.node, 10) >= 26;

/** Whether this runtime is Node itself: only Node asks a request for `upgrade` as the class below needs it. */
const IS_NODE = process.versions["deno"] === undefined && process.versions["bun"] === undefined;

/** What a URL stands for, where it is one of ours. */
export type RouteOf = (url: string) => string | undefined;

/** Whether an event stream is the answer to this request, if it is not refused. */
export function beginsStream({ method, headers }: IncomingMessage, route: string): boolean {
  if (!asksForStream(headers.accept)) return false;
  return method === "POST"
    ? route === "connect"
    : method === "GET" && (route === "channel" || route === "events");
}

/**
 * Marks the socket of a stream, from its request on: what is sent behind that is not executed. The request itself until
 * Node has handed over the socket; then `streaming`, or `passed` if a request was ignored since.
 */
const STREAM: unique symbol = Symbol("partyline.stream");

type Mark = IncomingMessage | "streaming" | "passed";

/** A socket that may carry the mark of a stream. */
export type MarkedSocket = Duplex & { [STREAM]?: Mark | undefined };

export function streamMark(socket: MarkedSocket): Mark | undefined {
  return socket[STREAM];
}

export function markStream(socket: MarkedSocket, mark: Mark | undefined): void {
  socket[STREAM] = mark;
}

/** On a request whose stream is an ordinary response. */
const ORDINARY: unique symbol = Symbol("partyline.ordinary");

/** Marks the socket of a stream that is an ordinary response; see {@link streamMark}. */
export function markOrdinaryStream(request: IncomingMessage & { [ORDINARY]?: true }): void {
  request[ORDINARY] = true;
  markStream(request.socket, "streaming");
}

/** May this request be answered by a bare socket: does it ask for an event stream of ours, and is its body read for us? */
export function isStreamRequest(request: IncomingMessage, routeOf: RouteOf): boolean {
  const { method, headers, url = "" } = request;
  if (headers.upgrade !== undefined || !asksForStream(headers.accept)) return false;
  if (method === "POST") return READS_BODIES && headers.expect === undefined && routeOf(url) === "connect";
  const bodiless =
    headers["transfer-encoding"] === undefined && !(Number(headers["content-length"] ?? 0) > 0);
  return method === "GET" && bodiless && routeOf(url) !== undefined;
}

/** An `IncomingMessage` class, as `http.createServer({ IncomingMessage })` takes it. */
export type IncomingMessageClass = typeof IncomingMessage;

/**
 * Makes a request class by which Node hands over event streams as it does WebSockets: as a bare socket, by the
 * server's `upgrade` event. A request and its response cost an idle stream 13 to 16 KiB that nobody needs; this way
 * Node lets go of them, by public means. Node sets `upgrade` before it has read the headers and asks for it after, which
 * a test holds for each version; where it did not ask, the stream would take the ordinary way.
 *
 * Other runtimes get Node's own class: Deno would call the `upgrade` listeners and write nothing to their socket.
 *
 * @param routeOf Requests that are none of ours are left alone.
 */
export function createIncomingMessageClass(routeOf: RouteOf): IncomingMessageClass {
  if (!IS_NODE) return IncomingMessage;
  return class PartylineIncomingMessage extends IncomingMessage {
    // Not a private field: the base class sets `upgrade` before those exist.
    declare asked?: boolean;
    declare [ORDINARY]?: true;

    get upgrade(): boolean {
      // Node before 26 asks once more after the request was handed on, and would take the socket from its response.
      if (this[ORDINARY] === true) return false;
      // Node parses on, and hands over the socket with the last request of a segment.
      if (streamMark(this.socket) !== undefined) return true;
      const { upgrade } = this.headers;
      // Other protocols (curl offers h2c unasked) are not spoken: the request is an ordinary one.
      if (upgrade !== undefined)
        return this.asked === true && (asksForWebSocket(upgrade) || routeOf(this.url ?? "") === undefined);
      return this.asked === true || isStreamRequest(this, routeOf);
    }

    set upgrade(asked: boolean) {
      this.asked = asked;
      // Set for the second time, when its head is known: Node will hand over the socket.
      if (asked && this.method && streamMark(this.socket) === undefined && isStreamRequest(this, routeOf))
        markStream(this.socket, this);
    }
  };
}
