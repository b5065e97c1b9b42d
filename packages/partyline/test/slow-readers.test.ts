/**
 * Readers that take nothing for a while, over real TCP: the kernel takes the first megabytes unseen, then the server's
 * socket is full, and a reader that is not told of its drain hangs for ever.
 */
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { createPartyline, type Partyline } from "../src/server.ts";
import { makeCertificate } from "./support/certificate.ts";
import { createHttp2Fetch } from "./support/http2-fetch.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";
import { openSocket } from "./transport/websocket-probes.ts";

/** A connection of which nothing is read before `resume`. */
interface Held {
  /** Lets it flow; `read` is called with text as it comes. */
  resume(read: (text: string) => void): void;
  /** Says something while it reads nothing, where the wire has a way. */
  readonly speak?: () => void;
  end(): void;
}

interface Way {
  readonly name: string;
  open(server: Partyline): Promise<Held>;
}

const STREAM = { accept: "text/event-stream" };
const HELLO = '{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"a"}';

function openStream(url: string, path: string, body?: string): Promise<Held> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const request = httpRequest(`${url}${path}`, { method, headers: STREAM, agent: false });
    request.on("error", reject);
    // Without a listener of its data a response reads nothing.
    request.on("response", (response: IncomingMessage) =>
      resolve({
        resume: (read) => void response.setEncoding("utf8").on("data", read),
        end: () => request.destroy(),
      }),
    );
    request.end(body);
  });
}

async function holdWebSocket(url: string, first?: string): Promise<Held> {
  const texts: string[] = [];
  let read = (text: string): void => void texts.push(text);
  const socket = await openSocket(url, [], {}, (opening) =>
    opening.on("message", (data: Buffer) => read(data.toString())),
  );
  if (first !== undefined) {
    socket.send(first);
    await until(() => texts.some((text) => text.includes('"attached"')));
  }
  socket.pause();
  let n = 1;
  return {
    resume(listener) {
      for (const text of texts) listener(text);
      read = listener;
      socket.resume();
    },
    speak() {
      socket.ping();
      if (first !== undefined) socket.send(`{"t":"ping","n":${++n}}`);
    },
    end: () => socket.terminate(),
  };
}

/** Ends the host with its reader. */
function withEnd(held: Held, end: () => void): Held {
  return {
    ...held,
    end() {
      held.end();
      end();
    },
  };
}

const own = async (server: Partyline): Promise<string> => (await server.listen(0)).url;

const tls = makeCertificate();
const secure = async (server: Partyline): Promise<string> =>
  (await server.listen(0, "127.0.0.1", { tls })).url;

const WAYS: readonly Way[] = [
  { name: "a raw WebSocket", open: async (server) => holdWebSocket(`${await own(server)}/channels/a`) },
  {
    name: "/connect over WebSocket",
    open: async (server) => holdWebSocket(`${await own(server)}/connect`, HELLO),
  },
  {
    name: "an event stream on its bare socket",
    open: async (server) => openStream(await own(server), "/channels/a"),
  },
  { name: "/events", open: async (server) => openStream(await own(server), "/events?channel=b&channel=a") },
  {
    name: "/connect over an event stream",
    open: async (server) => openStream(await own(server), "/connect", HELLO),
  },
  {
    name: "a raw WebSocket over TLS",
    open: async (server) => holdWebSocket(`${await secure(server)}/channels/a`),
  },
  {
    name: "an event stream over HTTP/2",
    async open(server) {
      const http2 = createHttp2Fetch();
      const stream = http2.session(await secure(server)).request({ ":path": "/channels/a", ...STREAM });
      await once(stream, "response");
      return {
        resume: (read) => void stream.setEncoding("utf8").on("data", read),
        end: () => void http2[Symbol.asyncDispose](),
      };
    },
  },
  {
    name: "an event stream through the response of a server of others",
    async open(server) {
      const http = createServer();
      server.attach(http);
      await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
      const { port } = http.address() as AddressInfo;
      const held = await openStream(`http://127.0.0.1:${port}`, "/channels/a");
      return withEnd(held, () => http.close());
    },
  },
  {
    name: "an event stream of a fetch handler",
    async open(server) {
      const app = new Hono();
      app.all("/channels/*", (context) => server.fetch(context.req.raw));
      let close = (): void => undefined;
      const port = await new Promise<number>((resolve) => {
        const http = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, (address) =>
          resolve(address.port),
        );
        close = () => void http.close();
      });
      const held = await openStream(`http://127.0.0.1:${port}`, "/channels/a");
      return withEnd(held, close);
    },
  },
];

const MESSAGE = 60_000;
/** More than the kernel takes on loopback. */
const BACKLOG = 8 * 1024 * 1024;

describe.each(WAYS)("$name", (way) => {
  it("whose socket was full is given all there is when it reads again, in order, once, and is live then [ATT-5]", async () => {
    await using server = createPartyline({ logger: silent, retention: { bytes: 64 * 1024 * 1024 } });
    const held = await way.open(server);
    const data = "x".repeat(MESSAGE);
    let published = 0;
    const publish = async (): Promise<void> => {
      await server.channel("a").publish(`#${++published}#${data}`);
      await new Promise((resolve) => setImmediate(resolve));
    };
    while (server.counters().lagging === undefined) await publish();
    for (let bytes = 0; bytes < BACKLOG; bytes += MESSAGE) {
      held.speak?.();
      await publish();
    }
    const numbers: number[] = [];
    let rest = "";
    held.resume((text) => {
      rest += text;
      for (const [, number] of rest.matchAll(/#(\d+)#/g)) numbers.push(Number(number));
      rest = /#\d*$/.exec(rest)?.[0] ?? "";
    });
    await until(() => numbers.length >= published);
    await publish();
    await until(() => numbers.length >= published);
    expect(numbers).toEqual(Array.from({ length: published }, (_, index) => index + 1));
    held.end();
  });
});
