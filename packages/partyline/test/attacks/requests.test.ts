/** Requests that no browser sends. */
import { describe, expect, it } from "vitest";
import { chunked, request } from "./http-attacks.ts";
import type { Attacker } from "./peer.ts";
import { survive } from "./survive.ts";

const UPGRADE =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const HOSTS = ["own", "guest"] as const;

/** The beginning of all that comes back for these bytes. */
async function answer(attacker: Attacker, bytes: string | Buffer): Promise<string> {
  const line = await attacker.open();
  await line.send(bytes);
  await Promise.race([line.until("\r\n\r\n"), line.closed]);
  line.leave();
  return line.text;
}

describe.each(HOSTS)("a server (%s)", (host) => {
  const versions = ["HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9", "HTTP/1.2"];
  const lines = versions.flatMap((version) =>
    [
      "GET /channels/a",
      "GET /",
      "POST /channels/a",
      "POST /connect",
      "GET /events?channel=a",
      "DELETE /channels/a?key=k",
    ].map((line) => `${line} ${version}\r\nHost: localhost\r\n`),
  );

  it("lives through request lines of every version", async () => {
    await survive({ host }, async (attacker) => {
      for (const line of lines)
        for (const more of ["", "Content-Length: 1\r\n", "Accept: text/event-stream\r\n", UPGRADE])
          expect(await answer(attacker, `${line}${more}Connection: close\r\n\r\nx`)).not.toMatch(
            /^HTTP\/1\.1 5(?!05)/,
          );
    });
  });

  it("lives through the preface of HTTP/2 without TLS", async () => {
    await survive({ host }, async (attacker) => {
      expect(await answer(attacker, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).not.toMatch(/^HTTP\/1\.1 5(?!05)/);
    });
  });

  it.each([
    ["an event stream", request("/channels/first", { head: "Accept: text/event-stream\r\n" })],
    ["a stream of /events", request("/events?channel=first", { head: "Accept: text/event-stream\r\n" })],
    [
      "a stream of /connect",
      request("/connect", {
        method: "POST",
        head: "Accept: text/event-stream\r\n",
        body: '{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"first"}',
      }),
    ],
  ])(
    "answers %s, and does not execute the request behind it in the same segment [HTTP-27]",
    async (_name, stream) => {
      await survive({ host }, async (attacker) => {
        const line = await attacker.open();
        await line.send(Buffer.concat([stream, request("/channels/second", { method: "POST", body: "x" })]));
        // The first event: by then a request behind the stream would have been executed too.
        await line.until("data: ");
        line.leave();
        expect(line.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
        expect(line.text).toMatch(/content-type: text\/event-stream/i);
        expect(line.text.match(/HTTP\/1\.1/g)).toHaveLength(1);
        expect(await answer(attacker, request("/channels/second"))).toMatch('"head":null');
      });
    },
  );
});

describe("a body", () => {
  it("of 8.4 MB that comes in chunks of one byte costs a small part of that", async () => {
    await survive(
      {},
      async (attacker) => {
        const line = await attacker.open();
        await line.send(chunked("/connect", " ".repeat(1_400_000)));
        await Promise.race([line.until("HTTP/1.1"), line.closed]);
      },
      { peak: 80 },
    );
  });
});
