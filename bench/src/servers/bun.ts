/** Rooms as they are written with Bun: `publish`, which is uWebSockets underneath. Run by Bun. */

/** What is used of it. */
interface BunServer {
  readonly port: number;
  upgrade(request: Request, options: { data: string }): boolean;
  publish(topic: string, data: string | Uint8Array): number;
}
interface BunSocket {
  readonly data: string;
  subscribe(topic: string): void;
}
declare const Bun: {
  serve(options: {
    readonly port: number;
    readonly hostname: string;
    fetch(request: Request, server: BunServer): Promise<Response | undefined>;
    readonly websocket: {
      open(socket: BunSocket): void;
      message(socket: BunSocket, data: string | Uint8Array): void;
    };
  }): BunServer;
};

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request, self) {
    const { pathname } = new URL(request.url);
    if (request.method === "POST") {
      self.publish(pathname, await request.text());
      return new Response("ok");
    }
    return self.upgrade(request, { data: pathname }) ? undefined : new Response(null, { status: 426 });
  },
  websocket: {
    open: (socket) => socket.subscribe(socket.data),
    message: (socket, data) => void server.publish(socket.data, data),
  },
});
process.send?.({ port: server.port });
