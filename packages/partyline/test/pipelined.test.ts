/** Requests that are sent before the answer to the one before them, in one segment. */
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { type Host, WAYS, type Way } from "./support/hosts.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";

const HELLO = '{"t":"hello","v":1}';
const ATTACH = '{"t":"attach","n":1,"channel":"a"}';

function request(method: string, path: string, headers: readonly string[] = [], body = ""): string {
  const length = body === "" ? [] : [`Content-Length: ${body.length}`];
  return [`${method} ${path} HTTP/1.1`, "Host: 127.0.0.1", ...headers, ...length, "", body].join("\r\n");
}

const STREAM = "Accept: text/event-stream";
const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
];

const STREAMS: readonly (readonly [string, string])[] = [
  ["a stream of a channel", request("GET", "/channels/a", [STREAM])],
  ["/events", request("GET", "/events?channel=a", [STREAM])],
  ["a stream of /connect", request("POST", "/connect", [STREAM], `${HELLO}\n${ATTACH}`)],
];

const BEHIND: readonly (readonly [string, string])[] = [
  ["a publish", request("POST", "/channels/b", [], "x")],
  ["another stream", request("GET", "/channels/b", [STREAM])],
  ["history", request("GET", "/channels/b")],
  ["a WebSocket", request("GET", "/channels/b", UPGRADE)],
  ["the application's own page", request("GET", "/own")],
];

/** At once, and by a promise that others overtake. */
const AUTHENTICATE: readonly (readonly [string, NonNullable<PartylineOptions["authenticate"]>])[] = [
  ["at once", () => ({ grants: { allows: () => true } })],
  ["late", () => new Promise((resolve) => setImmediate(() => resolve({ grants: { allows: () => true } })))],
];

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const OWN: Way = {
  name: "a server of its own",
  webSockets: true,
  async start(server): Promise<Host> {
    const { url } = await server.listen(0, "127.0.0.1");
    return { url, close: () => server.close() };
  },
};

/** Fetch-style hosts answer by themselves; they are not ours to order. */
const HOSTS = [OWN, ...WAYS.filter(({ name }) => !name.startsWith("Hono"))];

async function start(way: Way, options: PartylineOptions): Promise<{ server: Partyline; port: number }> {
  const server = createPartyline({ logger: silent, ...options });
  const host = await way.start(server);
  ends.push(
    () => host.close(),
    () => server.close(),
  );
  return { server, port: Number(new URL(host.url).port) };
}

/** A connection on which these bytes were sent at once. */
function send(port: number, bytes: string): { text: string; ended: boolean; leave(): void } {
  const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
  const seen = { text: "", ended: false, leave: () => void socket.destroy() };
  socket.setEncoding("utf8").on("data", (piece: string) => (seen.text += piece));
  socket.on("close", () => (seen.ended = true)).on("error", () => undefined);
  return seen;
}

const heads = (text: string): number => text.split("HTTP/1.1 ").length - 1;

describe.each(HOSTS)("within $name", (way) => {
  describe.each(AUTHENTICATE)("a peer that is known %s", (_when, authenticate) => {
    it.each(STREAMS)(
      "receives %s, and a request behind it is not executed [HTTP-27]",
      async (_name, stream) => {
        const { server, port } = await start(way, { authenticate });
        for (const [, behind] of BEHIND) {
          const seen = send(port, stream + behind);
          await until(() => seen.text.includes("continuous") || seen.text.includes("attached"));
          await server.channel("a").publish("a message");
          await until(() => seen.text.includes("a message"));
          expect(heads(seen.text)).toBe(1);
          expect((await server.channel("b").history()).messages).toEqual([]);
          seen.leave();
          await until(() => server.connections === 0);
        }
      },
    );

    it("is refused a stream, and what it asks behind it is answered after it or ends the connection", async () => {
      const { server, port } = await start(way, { authenticate: () => undefined });
      for (const [, stream] of STREAMS) {
        const seen = send(port, stream + request("POST", "/channels/b", [], "x"));
        await until(() => seen.ended || heads(seen.text) === 2);
        expect(seen.text).toMatch(/^HTTP\/1\.1 401 [^]*"code":"unauthorized"/);
        seen.leave();
      }
      expect((await server.channel("b").history()).messages).toEqual([]);
    });

    it("receives a stream behind a publish, and neither is disturbed by what follows", async () => {
      const { server, port } = await start(way, { authenticate });
      for (const [, stream] of STREAMS) {
        const publish = request("POST", "/channels/b", [], "x");
        const seen = send(port, publish + stream + publish);
        await until(() => seen.text.includes("continuous") || seen.text.includes("attached"));
        expect(seen.text).toMatch(/^HTTP\/1\.1 201 [^]*HTTP\/1\.1 200 /);
        seen.leave();
        await until(() => server.connections === 0);
      }
      expect((await server.channel("b").history()).messages).toHaveLength(3);
    });

    it("receives a poll and what it asks behind it, in this order", async () => {
      const { server, port } = await start(way, { authenticate });
      const polls = [
        request("GET", "/channels/a?wait=55"),
        request("POST", "/connect", [], `{"t":"hello","v":1,"wait":55}\n${ATTACH}`),
      ];
      for (const poll of polls) {
        const before = server.counters().attached;
        const seen = send(port, poll + request("POST", "/channels/b", [], "x"));
        await until(() => JSON.stringify(server.counters().attached) !== JSON.stringify(before));
        await server.channel("a").publish("a message");
        await until(() => heads(seen.text) === 2);
        expect(seen.text).toMatch(/^HTTP\/1\.1 200 [^]*a message[^]*HTTP\/1\.1 201 /);
        seen.leave();
      }
      expect((await server.channel("b").history()).messages).toHaveLength(2);
    });
  });
});
