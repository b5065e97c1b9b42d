/** A broadcast as it is written with `ws`: `send` to each client. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

const http = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
  request.on("end", () => {
    for (const client of sockets.clients) client.send(body);
    response.end();
  });
});
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
sockets.on("connection", (client) => client.on("error", () => undefined));
http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  process.send?.({ port: (http.address() as AddressInfo).port });
});
