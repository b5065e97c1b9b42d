/** A proxy that answers some requests itself, and a gateway that closes WebSockets over some frames. */
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { WebSocket, WebSocketServer } from "ws";
import type { Proxy } from "./proxy-process.ts";

/** A request as the proxy received it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** `round`: a stream or a poll. `commands`: publishes and deletes. */
  readonly use: "round" | "commands" | "other";
  readonly body: string;
}

/** A response that the proxy makes itself. */
export interface OwnAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: an HTML page. */
  readonly body?: string;
}

/** The rules of a refusing proxy. `undefined` passes the request, the response or the frame on. */
export interface Refusals {
  /** `"reset"` cuts the connection without a response. */
  readonly request?: (seen: SeenRequest) => OwnAnswer | "reset" | undefined;
  /** Replaces the body of the server's whole responses (not of streams). */
  readonly response?: (body: string, seen: SeenRequest) => string;
  /** Takes a WebSocket frame from the client and returns the code to close both sides with. */
  readonly frame?: (data: string) => number | undefined;
  /** Refuses all upgrades with this status. */
  readonly upgrade?: number;
}

/** A refusing proxy, and the traffic that it has seen. */
export interface RefusingProxy extends Proxy {
  /** All requests, the oldest first. Upgrades are not among them. */
  readonly seen: readonly SeenRequest[];
  /** Number of WebSockets that were opened. */
  readonly sockets: number;
}

const PAGE = "<!doctype html><title>Blocked</title><p>This request was blocked.";

/**
 * Starts a proxy in front of the server at the port `upstream`.
 *
 * @example
 * ```ts
 * await using proxy = await startRefusingProxy(port, {
 *   request: ({ body }) => (body.includes("forbidden word") ? { status: 403 } : undefined),
 * });
 * ```
 */
export async function startRefusingProxy(upstream: number, refusals: Refusals): Promise<RefusingProxy> {
  const seen: SeenRequest[] = [];
  const connections = new Set<Socket>();
  let sockets = 0;

  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const { method = "", url: path = "" } = request;
    const asked: SeenRequest = { method, path, use: useOf(request, body), body };
    seen.push(asked);
    const answer = refusals.request?.(asked);
    if (answer === "reset") response.destroy();
    else if (answer) {
      response.writeHead(answer.status, { "content-type": "text/html", ...answer.headers });
      response.end(answer.status === 204 ? undefined : (answer.body ?? PAGE));
    } else forward(request, asked, response);
  };
  const forward = (request: IncomingMessage, asked: SeenRequest, response: ServerResponse): void => {
    const { method, path, body } = asked;
    const { "transfer-encoding": _, ...headers } = request.headers;
    const further = httpRequest({ host: "127.0.0.1", port: upstream, method, path, headers, agent: false });
    further.on("error", () => response.destroy());
    response.on("close", () => further.destroy());
    further.on("response", (answer) => {
      const { "content-length": length, "transfer-encoding": __, connection: ___, ...kept } = answer.headers;
      answer.on("error", () => response.destroy());
      if (length === undefined || !refusals.response) {
        response.writeHead(answer.statusCode ?? 502, length === undefined ? kept : answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        return;
      }
      const { response: change } = refusals;
      void text(answer).then((whole) => {
        response.writeHead(answer.statusCode ?? 502, kept);
        response.end(change(whole, asked));
      });
    });
    further.end(body);
  };

  const gateway = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket: Socket, head) => {
    socket.on("error", () => undefined);
    if (refusals.upgrade !== undefined) {
      socket.end(`HTTP/1.1 ${refusals.upgrade} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    gateway.handleUpgrade(request, socket, head, (near) => {
      sockets++;
      relay(near, `ws://127.0.0.1:${upstream}${request.url}`, request, refusals.frame);
    });
  });
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    get sockets() {
      return sockets;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const near of gateway.clients) near.terminate();
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
}

function useOf({ headers }: IncomingMessage, body: string): SeenRequest["use"] {
  if (headers.accept === "text/event-stream" || body.split("\n", 1)[0]?.includes('"wait"')) return "round";
  return /"t":"(publish|delete)"/.test(body) ? "commands" : "other";
}

/** Passes frames both ways, and the close of either side to the other. */
function relay(near: WebSocket, url: string, request: IncomingMessage, rule: Refusals["frame"]): void {
  const { host, origin, authorization, cookie } = request.headers;
  const given = Object.entries({ host, origin, authorization, cookie }).filter(([, value]) => value);
  const far = new WebSocket(url, near.protocol || [], { headers: Object.fromEntries(given) });
  const waiting: string[] = [];
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on("error", () => other.terminate());
    one.on("close", (code) => (isSendable(code) ? other.close(code) : other.terminate()));
  }
  far.on("open", () => waiting.forEach((data) => far.send(data)));
  far.on("message", (data: Buffer) => near.send(data.toString()));
  near.on("message", (bytes: Buffer) => {
    const data = bytes.toString();
    const code = rule?.(data);
    if (code !== undefined) {
      near.close(code);
      far.terminate();
    } else if (far.readyState === WebSocket.OPEN) far.send(data);
    else waiting.push(data);
  });
}

const isSendable = (code: number): boolean => code >= 1000 && ![1004, 1005, 1006, 1015].includes(code);
