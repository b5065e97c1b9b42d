/** Rooms as they are written with `socket.io`: `emit` to a room. */
import { createServer } from "node:http";
import { Server } from "socket.io";
import { listen, onPost } from "./room.ts";

const http = createServer(
  onPost((room, body) => {
    io.to(room.slice(1)).emit("message", body);
  }),
);
const io = new Server(http, { transports: ["websocket"] });
io.on("connection", (socket) => {
  const room = String(socket.handshake.query["room"]);
  void socket.join(room);
  socket.on("message", (body: string) => {
    io.to(room).emit("message", body);
  });
});
listen(http);
