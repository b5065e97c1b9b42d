/** Event streams as they are written with Node alone: `write` to each response. */
import { createServer, type ServerResponse } from "node:http";
import { listen, onPost, Rooms } from "./room.ts";

const rooms = new Rooms<ServerResponse>();
const publish = onPost((room, body) => {
  for (const client of rooms.of(room)) client.write(`data: ${body}\n\n`);
});

listen(
  createServer((request, response) => {
    if (request.method === "POST") {
      publish(request, response);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    const room = rooms.join(request, response);
    response.on("close", () => room.delete(response));
  }),
);
