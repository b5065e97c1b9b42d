/**
 * A yardstick: answers everybody with the same bytes, which were recorded before. It upgrades whoever asks for it, and
 * sends everybody else an event stream.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { ReadyOptions } from "../load/order.ts";
import { listen } from "./room.ts";

const { recording, parts } = JSON.parse(process.argv[2] ?? "{}") as ReadyOptions;
const bytes = readFileSync(recording);
/** What is sent at once, and what when the client has said something, once for each time. */
const [first = bytes, ...later] = parts.map(([from, to]) => bytes.subarray(from, to));

const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" }).write(first);
});
server.on("upgrade", (request, socket) => {
  const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const protocol = request.headers["sec-websocket-protocol"];
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${createHash("sha1").update(key).digest("base64")}\r\n` +
      (protocol === undefined ? "\r\n" : `Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`),
  );
  if (first.length > 0) socket.write(first);
  let next = 0;
  socket.on("data", () => {
    const part = later[next++];
    if (part) socket.write(part);
  });
  socket.on("error", () => undefined);
});
listen(server);
