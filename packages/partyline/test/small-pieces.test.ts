/** Requests that are cheap to send and dear to read: bodies in small pieces, and streams that begin and end at once. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline } from "../src/server.ts";
import { get, headerBlock, http2Frame, PREFACE, TYPE } from "./attacks/http2-attacks.ts";
import { makeCertificate } from "./support/certificate.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";

const tls = makeCertificate();
let server: Partyline;

afterEach(() => server.close());

interface Peer {
  readonly socket: Socket;
  readonly received: () => string;
  readonly isClosed: () => boolean;
}

function watch(socket: Socket): Peer {
  let text = "";
  let closed = false;
  socket.on("data", (data) => (text += data.toString("latin1")));
  socket.on("error", () => undefined).on("close", () => (closed = true));
  return { socket, received: () => text, isClosed: () => closed };
}

async function speakHttp1(): Promise<Peer> {
  server = createPartyline({ logger: silent });
  const { port } = await server.listen(0);
  return watch(connect(port, "127.0.0.1"));
}

async function speakHttp2(): Promise<Peer> {
  server = createPartyline({ logger: silent });
  const { port } = await server.listen(0, "127.0.0.1", { tls });
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  const peer = watch(socket);
  await once(socket, "secureConnect");
  socket.write(PREFACE);
  return peer;
}

const chunks = (count: number): string => "1\r\nx\r\n".repeat(count);
const POST = "POST /channels/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

describe("a body in pieces of less than 16 bytes", () => {
  it("is stored if it has 1 001 of them, over HTTP/1.1 [HTTP-43]", async () => {
    const { socket, received } = await speakHttp1();
    socket.write(`${POST}${chunks(1_001)}0\r\n\r\n`);
    await until(() => received().includes("201"));
    const { messages } = await server.channel("a").history();
    expect(messages.map(({ data }) => (data as string).length)).toEqual([1_001]);
    socket.destroy();
  });

  it("ends its connection if it has more within a second, over HTTP/1.1 [HTTP-43]", async () => {
    const { socket, received, isClosed } = await speakHttp1();
    socket.write(`${POST}${chunks(10_000)}`);
    await until(isClosed);
    expect(received()).toBe("");
  });

  it("ends its connection if it has more within a second, on whatever streams of HTTP/2 [HTTP-43]", async () => {
    const { socket, isClosed } = await speakHttp2();
    for (let stream = 1; stream <= 11; stream += 2) {
      socket.write(http2Frame(TYPE.headers, 4, stream, headerBlock("POST", "/channels/a")));
      socket.write(Buffer.concat(Array.from({ length: 400 }, () => http2Frame(TYPE.data, 0, stream, "x"))));
    }
    await until(isClosed);
  });
});

describe("a connection of HTTP/2", () => {
  const reset = (stream: number): Buffer => http2Frame(TYPE.reset, 0, stream, Buffer.of(0, 0, 0, 8));

  it("ends if it begins more streams in one turn than may be open [HTTP-44]", async () => {
    const { socket, isClosed } = await speakHttp2();
    const requests = Array.from({ length: 200 }, (_, n) =>
      Buffer.concat([get(2 * n + 1, "/channels/a"), reset(2 * n + 1)]),
    );
    socket.write(Buffer.concat(requests));
    await until(isClosed);
  });

  it("stays if it begins as many and resets them [HTTP-44]", async () => {
    const { socket, received, isClosed } = await speakHttp2();
    const requests = Array.from({ length: 127 }, (_, n) =>
      Buffer.concat([get(2 * n + 1, "/channels/a"), reset(2 * n + 1)]),
    );
    socket.write(Buffer.concat([...requests, get(255, "/channels/last")]));
    await until(() => received().includes("messages"));
    expect(isClosed()).toBe(false);
    socket.destroy();
  });
});
