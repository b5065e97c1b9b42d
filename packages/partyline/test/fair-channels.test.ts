/**
 * A large catch-up and a chat on one connection of a slow network. What can be said of any network: between a message's
 * publish and its own bytes the server writes no more than two pages of the other. What waits in the kernel's buffers
 * by then is out of reach.
 */
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { createPartyline } from "../src/server.ts";
import { openLine } from "../src/testing/network-line.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";
import { clientFrame, OPCODE } from "./transport/bare-websocket.ts";

const MESSAGES = 10_000;
const MESSAGE = "x".repeat(1_500);
/** 43 such messages, and what the wire puts around each. */
const PAGE = 43 * 1_750;

const HELLO = '{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"chat"}\n';
const CATCH_UP = '{"t":"attach","n":2,"channel":"large","since":"earliest"}';

interface Way {
  readonly name: string;
  open(socket: Socket): void;
}

const WAYS: readonly Way[] = [
  {
    name: "/connect over WebSocket",
    open(socket) {
      socket.write(
        "GET /connect HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
      );
      socket.write(clientFrame(OPCODE.text, HELLO + CATCH_UP));
    },
  },
  {
    name: "/connect over an event stream",
    open(socket) {
      const body = HELLO + CATCH_UP;
      socket.write(
        "POST /connect HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n" +
          `Content-Type: application/x-ndjson\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    },
  },
  {
    name: "/events",
    open(socket) {
      socket.write(
        "GET /events?channel=large&channel=chat&since=earliest HTTP/1.1\r\nHost: localhost\r\n" +
          "Accept: text/event-stream\r\n\r\n",
      );
    },
  },
];

describe.each(WAYS)("a catch-up of 10 000 messages over $name", (way) => {
  it("puts no more than two of its pages before a message of a chat on the same connection [ATT-6]", async () => {
    await using server = createPartyline({ logger: silent });
    for (let n = 1; n <= MESSAGES; n++) await server.channel("large").publish(`#${n}#${MESSAGE}`);
    const http = createServer();
    server.attach(http);
    const accepted: Socket[] = [];
    http.on("connection", (socket: Socket) => accepted.push(socket));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    await using line = await openLine((http.address() as AddressInfo).port);
    line.throttle(16 * 1024 * 1024);

    const socket = connect(line.port, "127.0.0.1");
    const written = new Map<number, number>();
    const between: number[] = [];
    let received = 0;
    let newest = 0;
    let rest = "";
    socket.setEncoding("latin1").on("data", (piece: string) => {
      const text = rest + piece;
      const start = received - rest.length;
      for (const { 1: number, index } of text.matchAll(/~(\d+)~/g))
        between.push(start + index - (written.get(Number(number)) ?? 0));
      for (const { 1: number } of text.matchAll(/#(\d+)#/g)) newest = Number(number);
      rest = /[#~]\d*$/.exec(text)?.[0] ?? "";
      received += piece.length;
      if (newest === 0 || newest === MESSAGES) return;
      const next = written.size + 1;
      written.set(next, accepted[0]?.bytesWritten ?? 0);
      void server.channel("chat").publish(`~${next}~`);
    });
    way.open(socket);
    await until(() => newest === MESSAGES && between.length === written.size);
    socket.destroy();
    http.close();

    expect(written.size).toBeGreaterThan(50);
    expect(server.counters().lagging?.[""]).toBeGreaterThan(0);
    expect(Math.max(...between)).toBeLessThan(2 * PAGE);
  });
});
