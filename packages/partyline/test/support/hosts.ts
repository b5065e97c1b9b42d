/** Each way to live in an application that is already there. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import type { Partyline } from "../../src/server.ts";

/** An application that listens. */
export interface Host {
  readonly url: string;
  /** Stops listening; resolves when all its connections have ended by themselves. */
  close(): Promise<void>;
}

/** Listens on a free port. */
export async function listen(http: Server): Promise<Host> {
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: () => closed(http),
  };
}

/** Ends idle connections too, and waits for all others. */
function closed(http: Server): Promise<void> {
  return new Promise((resolve) => http.close(() => resolve()));
}

/** The application's own page. */
export const OWN = { path: "/own", text: "the application's own" };

/** A way to live in an application. */
export interface Way {
  readonly name: string;
  /** Are there WebSockets? */
  readonly webSockets: boolean;
  start(server: Partyline): Promise<Host>;
}

export const WAYS: readonly Way[] = [
  {
    name: "node:http, attached",
    webSockets: true,
    async start(server) {
      const http = createServer((_request, response) => response.end(OWN.text));
      server.attach(http);
      return listen(http);
    },
  },
  {
    name: "node:http, attached, with its class of requests",
    webSockets: true,
    async start(server) {
      const { IncomingMessage } = server;
      const http = createServer({ IncomingMessage }, (_request, response) => response.end(OWN.text));
      server.attach(http);
      return listen(http);
    },
  },
  {
    name: "node:http, by its handlers",
    webSockets: true,
    async start(server) {
      const http = createServer((request, response) =>
        server.handler(request, response, () => response.end(OWN.text)),
      );
      http.on("upgrade", (request, socket, head) => {
        if (!server.upgrade(request, socket, head)) socket.destroy();
      });
      return listen(http);
    },
  },
  {
    name: "Express 5, as middleware",
    webSockets: true,
    async start(server) {
      const app = express();
      app.use(server.handler);
      app.get(OWN.path, (_request, response) => void response.send(OWN.text));
      const http = createServer(app);
      http.on("upgrade", server.upgrade);
      return listen(http);
    },
  },
  {
    name: "Express 5, attached to its server",
    webSockets: true,
    async start(server) {
      const app = express();
      app.use(express.json());
      app.get(OWN.path, (_request, response) => void response.send(OWN.text));
      const http = createServer(app);
      server.attach(http);
      return listen(http);
    },
  },
  {
    name: "Fastify 5, attached to its server",
    webSockets: true,
    async start(server) {
      const app = fastify();
      app.get(OWN.path, () => OWN.text);
      await app.ready();
      server.attach(app.server);
      return { url: await app.listen({ port: 0, host: "127.0.0.1" }), close: () => app.close() };
    },
  },
  {
    name: "Hono 4, by fetch",
    webSockets: false,
    async start(server) {
      const app = new Hono();
      app.get(OWN.path, (context) => context.text(OWN.text));
      app.all("/channels/*", (context) => server.fetch(context.req.raw));
      app.all("/connect", (context) => server.fetch(context.req.raw));
      return honoHost(app);
    },
  },
  {
    name: "Hono 4, by fetch and attached for WebSockets",
    webSockets: true,
    async start(server) {
      const app = new Hono();
      app.get(OWN.path, (context) => context.text(OWN.text));
      app.all("/channels/*", (context) => server.fetch(context.req.raw));
      const host = await honoHost(app);
      server.attach(host.http);
      return host;
    },
  },
];

async function honoHost(app: Hono): Promise<Host & { http: Server }> {
  const { http, port } = await new Promise<{ http: Server; port: number }>((resolve) => {
    const started = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, (address) =>
      resolve({ http: started as Server, port: address.port }),
    );
  });
  return {
    http,
    url: `http://127.0.0.1:${port}`,
    close: () => closed(http),
  };
}
