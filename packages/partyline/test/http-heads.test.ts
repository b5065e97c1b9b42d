/** Heads of requests that HTTP itself has something to say about. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline } from "../src/server.ts";
import { asksForStream } from "../src/transports/stream-request.ts";
import { makeCertificate } from "./support/certificate.ts";
import { createHttp2Fetch } from "./support/http2-fetch.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";

let server: Partyline;
let own: number;
let attached: number;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  server = createPartyline({ logger: silent, hosts: ["localhost"] });
  ({ port: own } = await server.listen(0, "127.0.0.1"));
  const http = createServer((_request, response) => void response.end("the application's own"));
  server.attach(http);
  await once(http.listen(0, "127.0.0.1"), "listening");
  attached = (http.address() as AddressInfo).port;
  ends.push(
    () => server.close(),
    () => new Promise((resolve) => http.close(resolve)),
  );
});

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

interface Seen {
  readonly text: string;
  readonly ended: boolean;
}

/** What comes back for these bytes until there are `heads` answers, or the connection ends. */
async function send(port: number, bytes: string, heads = 1): Promise<Seen> {
  const seen = { text: "", ended: false };
  const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
  socket.setEncoding("utf8").on("data", (piece: string) => (seen.text += piece));
  socket.on("close", () => (seen.ended = true)).on("error", () => undefined);
  await until(() => seen.ended || seen.text.split(/HTTP\/1\.1 \d/).length > heads);
  // An answer that says so must also do so.
  if (/connection: close/i.test(seen.text)) await until(() => seen.ended);
  socket.destroy();
  return { ...seen };
}

const lines = (...some: readonly string[]): string => `${some.join("\r\n")}\r\n\r\n`;

const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
];

describe.each([
  ["a server of its own", () => own],
  ["a server it is attached to", () => attached],
])("%s", (_name, port) => {
  it("refuses two `Host` lines with 400, and ends the connection [HTTP-28]", async () => {
    const hosts = ["Host: localhost", "hOST: evil.example"];
    for (const some of [hosts, hosts.toReversed(), ["Host: localhost", "Host: localhost"]])
      for (const request of ["GET /channels/a HTTP/1.1", "GET /connect/live HTTP/1.1"])
        for (const more of [[], ["Accept: text/event-stream"], UPGRADE]) {
          const { text, ended } = await send(port(), lines(request, ...some, ...more));
          expect([text, ended]).toEqual([
            expect.stringMatching(/^HTTP\/1\.1 400 [^]*more than one `Host`/),
            true,
          ]);
        }
  });

  it("refuses a `Host` that is none with 400 [HTTP-28]", async () => {
    for (const host of ["localhost/", "a@localhost", "localhost:x", "local host", "[::1"]) {
      const { text } = await send(port(), lines("GET /channels/a HTTP/1.1", `Host: ${host}`));
      expect([host, text]).toEqual([host, expect.stringMatching(/^HTTP\/1\.1 400 [^]*"bad-frame"/)]);
    }
  });

  it("takes the host of a whole URL in the place of `Host`, and its path [HTTP-29]", async () => {
    const statuses: Readonly<Record<string, number>> = {
      "http://localhost/channels/a": 200,
      "HTTP://LOCALHOST:8080/channels/a?limit=1": 200,
      "http://evil.example/channels/a": 421,
      "http://evil.example/channels/a?x=http://localhost/": 421,
      "http://user@localhost/channels/a": 400,
    };
    for (const [target, status] of Object.entries(statuses))
      for (const host of ["localhost", "evil.example"]) {
        const { text } = await send(port(), lines(`GET ${target} HTTP/1.1`, `Host: ${host}`));
        expect([target, host, text.slice(9, 12)]).toEqual([target, host, String(status)]);
      }
  });

  it("does not look for its path in the query of a whole URL [HTTP-29]", async () => {
    const said = await send(port(), lines("GET http://localhost?x=/channels/a HTTP/1.1", "Host: localhost"));
    expect(said.text).toMatch(port() === own ? /^HTTP\/1\.1 404 / : /the application's own/);
  });

  it("refuses a transfer coding but chunked with 501, and stores nothing [HTTP-30]", async () => {
    for (const coding of ["gzip, chunked", "deflate, chunked", "identity, chunked"]) {
      const head = lines("POST /channels/a HTTP/1.1", "Host: localhost", `Transfer-Encoding: ${coding}`);
      const { text, ended } = await send(port(), `${head}1\r\nx\r\n0\r\n\r\n`);
      expect([coding, text, ended]).toEqual([coding, expect.stringMatching(/^HTTP\/1\.1 501 /), true]);
    }
    const old = lines("POST /channels/a HTTP/1.0", "Host: localhost", "Transfer-Encoding: chunked");
    expect((await send(port(), `${old}1\r\nx\r\n0\r\n\r\n`)).text).toMatch(/^HTTP\/1\.1 400 /);
    expect((await server.channel("a").history()).messages).toEqual([]);
  });

  it("upgrades no request of HTTP/1.0 [HTTP-31]", async () => {
    for (const path of ["/channels/a", "/connect"]) {
      const { text } = await send(port(), lines(`GET ${path} HTTP/1.0`, "Host: localhost", ...UPGRADE));
      expect(text).toMatch(/^HTTP\/1\.1 400 [^]*HTTP\/1\.0 has no upgrades/);
    }
    expect(server.connections).toBe(0);
  });

  it("answers HEAD as GET, without the body [HTTP-32]", async () => {
    const paths = [
      "/channels/a",
      "/channels/a?wait=0",
      "/channels//",
      "/connect",
      "/connect/live",
      "/events",
    ];
    for (const path of paths)
      for (const more of [[], UPGRADE]) {
        const { text } = await send(port(), lines(`HEAD ${path} HTTP/1.1`, "Host: localhost", ...more));
        const [head = "", body] = text.split("\r\n\r\n");
        expect([path, head.slice(0, 9), body]).toEqual([path, "HTTP/1.1 ", ""]);
        expect(head).toMatch(/content-length: \d|HTTP\/1.1 204/i);
      }
  });
});

it("a HEAD of a fetch host and of HTTP/2 has the length of the body, and no body [HTTP-32]", async () => {
  const { url } = await server.listen(0, "127.0.0.1", { tls: makeCertificate() });
  const http2 = createHttp2Fetch();
  ends.unshift(() => http2[Symbol.asyncDispose]());
  for (const path of ["/channels/a", "/channels//"]) {
    const answers = [
      await http2.fetch(`${url.replace("127.0.0.1", "localhost")}${path}`, {
        method: "HEAD",
        headers: { host: "localhost" },
      }),
      await server.fetch(new Request(`http://localhost${path}`, { method: "HEAD" })),
    ];
    for (const answer of answers) {
      expect(Number(answer.headers.get("content-length"))).toBeGreaterThan(0);
      expect(await answer.text()).toBe("");
    }
  }
});

it.each([
  ["text/event-stream", true],
  ["TEXT/Event-Stream; charset=utf-8", true],
  ["application/json, text/event-stream", true],
  ["text/event-stream, */*;q=0.1", true],
  ["text/event-stream;q=0.001", true],
  ["text/event-stream;q=0", false],
  ["text/event-stream; Q=0.000", false],
  ["text/event-stream ; q = 0", false],
  ["text/event-stream;q=none", false],
  ["text/event-stream;q=0.5, application/json", false],
  ["text/event-stream;q=0.5, application/json;q=0.4", true],
  ["text/event-streams", false],
  ["*/*", false],
  ["application/json", false],
])("Accept: %s asks for a stream: %s [HTTP-33]", (accept, asks) => {
  expect(asksForStream(accept)).toBe(asks);
});

it("an Idempotency-Key in quotes is the id between them [HTTP-19]", async () => {
  const publish = async (key: string): Promise<number> => {
    const headers = { host: "localhost", "idempotency-key": key };
    const request = new Request("http://localhost/channels/a", { method: "POST", body: "x", headers });
    return (await server.fetch(request)).status;
  };
  expect(await publish("once")).toBe(201);
  for (const same of ['"once"', '"once" ; a=1', "once"]) expect(await publish(same)).toBe(200);
  for (const wrong of ['""', '"', '"once', 'once"', '"no spaces"', '"a"b'])
    expect(await publish(wrong)).toBe(400);
  expect((await server.channel("a").history()).messages).toHaveLength(1);
});
