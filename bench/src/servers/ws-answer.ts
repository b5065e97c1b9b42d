/** A yardstick: reads each message as JSON and answers it. */
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { listen } from "./room.ts";

const http = createServer();
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
let offset = 0;
sockets.on("connection", (client) => {
  client.on("message", (data: Buffer) => {
    const { n } = JSON.parse(data.toString()) as { n: number };
    client.send(JSON.stringify({ t: "result", n, position: `0mhlk2v9q7xa:${++offset}` }));
  });
  client.on("error", () => undefined);
});
listen(http);
