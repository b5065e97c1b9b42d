/** Proxies made by hand, each with one of the habits that real ones have. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Proxy } from "./proxy-process.ts";

/** What a proxy does. */
export interface Habits {
  /** `forward`: as asked. `strip`: an ordinary request is made of it. `swallow`: nothing is answered. */
  readonly upgrades: "forward" | "strip" | "swallow";
  /** `forward`: as they come. `hold`: only when they have ended. `hold body`: so too, but for their head. */
  readonly streams: "forward" | "hold" | "hold body";
  /** Cuts a connection on which nothing came for so long, either way, ms. Default: never. */
  readonly quiet?: number;
}

/** What belongs to one connection and is not passed on. */
const HOP_BY_HOP = ["connection", "keep-alive", "transfer-encoding", "upgrade", "sec-websocket-key"];

/** Starts a proxy of these habits before the server at this port. */
export async function startOwnProxy(upstream: number, habits: Habits): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const watch = (one: Duplex, other: Duplex): void => {
    for (const socket of [one, other]) socket.on("error", () => undefined).on("close", () => end());
    const end = (): void => {
      one.destroy();
      other.destroy();
    };
    if (habits.quiet !== undefined && "setTimeout" in one) (one as Socket).setTimeout(habits.quiet, end);
  };

  const forward = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url: path } = request;
    const headers = withoutHops(request.headers);
    const asked = httpRequest({ host: "127.0.0.1", port: upstream, method, path, headers, agent: false });
    watch(request.socket, asked as unknown as Duplex);
    request.pipe(asked);
    response.on("close", () => asked.destroy());
    asked.on("response", (answer) => pass(answer, response, habits.streams));
  };

  const server = createServer(forward);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  if (habits.upgrades === "swallow")
    server.on("upgrade", (_request, socket: Duplex) => void socket.on("error", () => undefined).resume());
  if (habits.upgrades === "forward")
    server.on("upgrade", (request, socket: Duplex, head: Buffer) => {
      const far = connect(upstream, "127.0.0.1");
      watch(socket, far);
      const lines = request.rawHeaders.flatMap((name, index, all) =>
        index % 2 === 0 ? [`${name}: ${all[index + 1] ?? ""}`] : [],
      );
      far.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      far.write(head);
      socket.pipe(far).pipe(socket);
    });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function pass(answer: IncomingMessage, response: ServerResponse, streams: Habits["streams"]): void {
  const isStream = answer.headers["content-type"] === "text/event-stream";
  answer.on("error", () => response.destroy());
  if (!isStream || streams !== "hold") {
    response.writeHead(answer.statusCode ?? 502, withoutHops(answer.headers));
    response.flushHeaders();
  }
  if (!isStream || streams === "forward") return void answer.pipe(response);
  const held: Buffer[] = [];
  answer.on("data", (piece: Buffer) => held.push(piece));
  answer.on("end", () => {
    if (!response.headersSent) response.writeHead(answer.statusCode ?? 502, withoutHops(answer.headers));
    response.end(Buffer.concat(held));
  });
}

function withoutHops(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
}
