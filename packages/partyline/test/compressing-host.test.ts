import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { constants, createGzip } from "node:zlib";
import express, { type RequestHandler } from "express";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { silent } from "./support/line-rig.ts";
import { openConnectSse, openRawSse } from "./transport/http-probes.ts";

let server: Partyline;
let url: string;
let close: () => Promise<void>;

/** What compressing middleware does, one that heeds no `no-transform`: the response's methods become its own. */
const compress: RequestHandler = (_request, response, next) => {
  const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  const writeHead = response.writeHead.bind(response);
  gzip.on("data", (chunk: Buffer) => write(chunk));
  gzip.on("drain", () => response.emit("drain"));
  gzip.on("end", () => end());
  Object.assign(response, {
    writeHead(status: number, headers: readonly string[]) {
      const length = headers.findIndex((name) => name.toLowerCase() === "content-length");
      const kept = headers.filter((_, index) => length < 0 || (index !== length && index !== length + 1));
      return writeHead(status, [...kept, "Content-Encoding", "gzip"]);
    },
    write: (chunk: Uint8Array | string) => gzip.write(chunk),
    end: (chunk?: Uint8Array | string) => gzip.end(chunk),
  });
  next();
};

beforeEach(async () => {
  await start();
});

async function start(options: PartylineOptions = {}): Promise<void> {
  server = createPartyline({ logger: silent, ...options });
  const app = express();
  app.use(compress);
  app.use(server.handler);
  const http = createServer(app);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  close = () => new Promise((resolve) => http.close(() => resolve()));
}

afterEach(async () => {
  await server.close();
  await close();
});

describe("behind middleware that compresses", () => {
  it("an event stream goes through the response: it is compressed, and each message comes as it is published", async () => {
    await using stream = await openRawSse({ url, channel: "a" });
    expect(stream.response.headers.get("content-encoding")).toBe("gzip");
    for (const text of ["one", "two", "three"]) {
      await server.channel("a").publish(text);
      expect(await stream.next()).toMatchObject({ data: text });
    }
    await server.close();
    expect(await stream.next()).toEqual({ is: "end", code: "draining" });
  });

  it("a stream of /connect does so too", async () => {
    await using stream = await openConnectSse({ url, channel: "a" });
    await server.channel("a").publish("one");
    expect(await stream.next()).toMatchObject({ data: "one" });
  });

  it("a compressed stream ends with its trailer, which some clients fail without", async () => {
    const response = await fetch(`${url}/channels/a`, { headers: { accept: "text/event-stream" } });
    const text = response.text();
    await server.close();
    // Without the trailer this rejects: the decoder misses its end.
    expect(await text).toMatch(/^event: continuous\n[^]*"code":"draining"[^]*\n\n$/);
  });

  it("what is compressed already is so twice, and is read", async () => {
    await server.close();
    await close();
    await start({ compression: { threshold: 0 } });
    await using stream = await openRawSse({ url, channel: "a" });
    expect(stream.response.headers.get("content-encoding")).toBe("gzip, gzip");
    for (const text of ["one", "two"]) {
      await server.channel("a").publish(text);
      expect(await stream.next()).toMatchObject({ data: text });
    }
  });

  it("a publish and its history are whole", async () => {
    const posted = await fetch(`${url}/channels/a`, { method: "POST", body: "hello" });
    expect([posted.status, await posted.json()]).toMatchObject([
      201,
      { position: expect.any(String) as string },
    ]);
    const history = (await (await fetch(`${url}/channels/a`)).json()) as { messages: unknown[] };
    expect(history.messages).toMatchObject([{ data: "hello" }]);
  });
});
