/** A broadcast as it is written with `socket.io`: `emit` to all. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";

const http = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
  request.on("end", () => {
    io.emit("message", body);
    response.end();
  });
});
const io = new Server(http, { transports: ["websocket"] });
http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  process.send?.({ port: (http.address() as AddressInfo).port });
});
