/** Event streams as they are written with Node alone: `write` to each response. */
import { createServer, type ServerResponse } from "node:http";
import { constants, createGzip, type Gzip } from "node:zlib";
import { listen, onPost, Rooms } from "./room.ts";

const { gzip = false } = JSON.parse(process.argv[2] ?? "{}") as { gzip?: boolean };
const rooms = new Rooms<ServerResponse | Gzip>();
const publish = onPost((room, body) => {
  for (const client of rooms.of(room)) client.write(`data: ${body}\n\n`);
});

listen(
  createServer((request, response) => {
    if (request.method === "POST") {
      publish(request, response);
      return;
    }
    response.writeHead(200, {
      "content-type": "text/event-stream",
      ...(gzip && { "content-encoding": "gzip" }),
    });
    response.flushHeaders();
    const stream = gzip ? createGzip({ flush: constants.Z_SYNC_FLUSH }) : response;
    if (stream !== response) stream.pipe(response);
    const room = rooms.join(request, stream);
    response.on("close", () => room.delete(stream));
  }),
);
