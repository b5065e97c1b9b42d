/** Rooms as they are written with `ws`: `send` to each client. */
import { createServer } from "node:http";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { listen, onPost, Rooms } from "./room.ts";

const { perMessageDeflate = false } = JSON.parse(process.argv[2] ?? "{}") as ServerOptions;
const rooms = new Rooms<WebSocket>();
const http = createServer(
  onPost((room, body) => {
    for (const client of rooms.of(room)) client.send(body);
  }),
);
const sockets = new WebSocketServer({ server: http, perMessageDeflate });
sockets.on("connection", (client, request) => {
  const room = rooms.join(request, client);
  client.on("message", (data: Buffer) => {
    const text = data.toString();
    for (const member of room) member.send(text);
  });
  client.on("close", () => room.delete(client));
  client.on("error", () => undefined);
});
listen(http);
