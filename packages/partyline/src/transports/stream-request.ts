import { IncomingMessage } from "node:http";

/** Does this `Accept` header ask for an event stream? */
export function asksForStream(accept: string | undefined): boolean {
  return accept !== undefined && /\btext\/event-stream\b/i.test(accept);
}

/** Does this `Upgrade` header ask for a WebSocket? */
export function asksForWebSocket(upgrade: string | undefined): boolean {
  return upgrade !== undefined && upgrade.toLowerCase() === "websocket";
}

/** May this request be answered by a bare socket: a GET for an event stream, without a body? */
export function isStreamRequest(request: IncomingMessage): boolean {
  const { method, headers } = request;
  return (
    method === "GET" &&
    headers.upgrade === undefined &&
    headers["transfer-encoding"] === undefined &&
    !(Number(headers["content-length"] ?? 0) > 0) &&
    asksForStream(headers.accept)
  );
}

/** An `IncomingMessage` class, as `http.createServer({ IncomingMessage })` takes it. */
export type IncomingMessageClass = typeof IncomingMessage;

/**
 * Makes a request class by which Node hands over event streams as it does WebSockets: as a bare socket, by the
 * server's `upgrade` event. A request and its response cost an idle stream 13 KiB that nobody needs; this way Node
 * lets go of them, by public means. Node sets `upgrade` before it has read the headers and asks for it after, which
 * a test holds for each version; where it did not ask, the stream would take the ordinary way.
 *
 * @param ours Is this the URL of a stream of ours? All others are left alone.
 */
export function createIncomingMessageClass(ours: (url: string) => boolean): IncomingMessageClass {
  return class PartylineIncomingMessage extends IncomingMessage {
    // Not a private field: the base class sets `upgrade` before those exist.
    declare asked?: boolean;

    get upgrade(): boolean {
      const { upgrade } = this.headers;
      // Other protocols (curl offers h2c unasked) are not spoken: the request is an ordinary one.
      if (upgrade !== undefined)
        return this.asked === true && (asksForWebSocket(upgrade) || !ours(this.url ?? ""));
      return this.asked === true || (isStreamRequest(this) && ours(this.url ?? ""));
    }

    set upgrade(asked: boolean) {
      this.asked = asked;
    }
  };
}
