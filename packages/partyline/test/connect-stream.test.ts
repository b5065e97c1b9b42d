import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline } from "../src/server.ts";
import { ByteLine } from "./support/byte-line.ts";

let server: Partyline;
let port: number;
const opened: { destroy(): void }[] = [];

beforeEach(async () => {
  server = createPartyline();
  ({ port } = await server.listen(0));
});

afterEach(async () => {
  for (const one of opened.splice(0)) one.destroy();
  await server.close();
});

/** Older ones leave a request's body to whoever takes the socket. */
const NODE_READS_BODIES = Number.parseInt(process.versions.node, 10) >= 26;

const BODY = '{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"a"}';

function head(...more: readonly string[]): string {
  const lines = ["POST /connect HTTP/1.1", "Host: localhost", "Accept: text/event-stream", ...more];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

const LENGTH = `Content-Length: ${BODY.length}`;

/** Sends the pieces, each when the one before has been taken by the server's side of the loop. */
async function send(pieces: readonly string[], to = port): Promise<ByteLine> {
  const line = new ByteLine(to);
  opened.push(line.socket);
  line.socket.setNoDelay();
  for (const piece of pieces) {
    await new Promise((resolve) => line.socket.write(piece, resolve));
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  return line;
}

async function attached(line: ByteLine): Promise<ByteLine> {
  await line.until(() => line.text.includes('"attached"') || line.ended);
  return line;
}

/** The server in an `http` server of others, and how often that handed over a socket. */
async function listenAsGuest(
  more: { IncomingMessage?: typeof IncomingMessage } = {},
): Promise<{ readonly to: number; upgraded: number }> {
  const http = createServer(more);
  server.attach(http);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  opened.push({ destroy: () => void http.close() });
  const guest = { to: (http.address() as AddressInfo).port, upgraded: 0 };
  http.on("upgrade", () => guest.upgraded++);
  return guest;
}

describe("the stream of `/connect`", () => {
  it("takes the upgrade path where Node reads the body, and the ordinary way where it does not", async () => {
    const guest = await listenAsGuest({ IncomingMessage: server.IncomingMessage });
    const line = await attached(await send([head(LENGTH) + BODY], guest.to));
    expect(guest.upgraded).toBe(NODE_READS_BODIES ? 1 : 0);
    expect(line.text).toMatch(/transfer-encoding: chunked/i);
  });

  it("takes the ordinary way on a server of others", async () => {
    const guest = await listenAsGuest();
    const line = await attached(await send([head(LENGTH) + BODY], guest.to));
    expect(line.text).toMatch(/transfer-encoding: chunked/i);
  });

  it.each([
    ["in one packet", [head(LENGTH) + BODY]],
    ["behind its head", [head(LENGTH), BODY]],
    ["in pieces", [head(LENGTH), BODY.slice(0, 30), BODY.slice(30)]],
    [
      "in chunks",
      [head("Transfer-Encoding: chunked"), `${BODY.length.toString(16)}\r\n${BODY}`, "\r\n0\r\n\r\n"],
    ],
    ["when it was told to go on", [head(LENGTH, "Expect: 100-continue"), BODY]],
  ])("takes a body that comes %s", async (_how, pieces) => {
    const line = await attached(await send(pieces));
    await server.channel("a").publish("later");
    await line.until(() => line.text.includes('"data":"later"'));
    expect(line.text).toContain("HTTP/1.1 200 OK");
  });

  it("begins when a publish before it on its connection was answered", async () => {
    const post = "POST /channels/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx";
    const line = await attached(await send([post + head(LENGTH), BODY]));
    expect(line.text).toMatch(/^HTTP\/1\.1 201 [^]*HTTP\/1\.1 200 OK[^]*"attached"/);
  });

  it("drops what comes from its client", async () => {
    const line = await attached(await send([head(LENGTH), BODY]));
    line.socket.write("POST /channels/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
    await server.channel("a").publish("mine");
    await line.until(() => line.text.includes('"data":"mine"') || line.ended);
    expect(server.counters().published).toEqual({ "": 1 });
  });

  it.each([
    ["one packet", [head(LENGTH) + BODY]],
    ["two", [head(LENGTH), BODY]],
  ])("sees its client end, half or whole, after a request of %s", async (_how, pieces) => {
    const half = await attached(await send(pieces));
    half.socket.end();
    const whole = await attached(await send(pieces));
    whole.socket.resetAndDestroy();
    while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(server.counters().closed).toEqual({ sse: 2 });
  });

  it("refuses a body that is too large, or no frames", async () => {
    const large = await send([head("Content-Length: 99000000")]);
    await large.until(() => large.ended);
    expect(large.text).toMatch(/^HTTP\/1\.1 413 [^]*"code":"too-large"/);
    const wrong = await send([head("Content-Length: 1"), "x"]);
    await wrong.until(() => wrong.text.includes('"code"'));
    expect(wrong.text).toMatch(/^HTTP\/1\.1 400 [^]*"code":"bad-frame"/);
  });

  it("whose body never came whole takes no seat, and keeps no server from closing", async () => {
    const cut = await send([head(LENGTH), BODY.slice(0, 30)]);
    cut.socket.resetAndDestroy();
    await send([head(LENGTH), BODY.slice(0, 30)]);
    expect(server.connections).toBe(0);
    await server.close();
  });
});
