/** What servers of this folder have in common: a room is a path. */
import type { IncomingMessage, RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Listens on a free port of loopback, and tells it. */
export function listen(server: Server): void {
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
    process.send?.({ port: (server.address() as AddressInfo).port });
  });
}

/** Takes a `POST` for a message to the room of its path. */
export function onPost(publish: (room: string, body: string) => void): RequestListener {
  return (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
    request.on("end", () => {
      publish(request.url ?? "", body);
      response.end("ok");
    });
  };
}

/** Members by room. */
export class Rooms<Member> {
  readonly #rooms = new Map<string, Set<Member>>();

  join({ url = "" }: Pick<IncomingMessage, "url">, member: Member): Set<Member> {
    const room = this.#rooms.get(url) ?? new Set();
    this.#rooms.set(url, room.add(member));
    return room;
  }

  of(url: string): Iterable<Member> {
    return this.#rooms.get(url) ?? [];
  }
}
