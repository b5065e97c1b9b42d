import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline } from "../src/server.ts";
import { type Ask, ask as askPort, askRaw as askPortRaw } from "./transport/ask.ts";

let server: Partyline;
let port: number;

beforeEach(async () => {
  server = createPartyline({ channels: { "latest/*": { keep: "latest" }, "chat/**": {}, a: {} } });
  ({ port } = await server.listen(0));
});

afterEach(() => server.close());

const ask = (path: string, request?: Ask): ReturnType<typeof askPort> => askPort(port, path, request);
const askRaw = (bytes: string): Promise<string> => askPortRaw(port, bytes);

describe("a publish", () => {
  it("answers 201 with the position and time of the message [HTTP-18]", async () => {
    const answer = await ask("/channels/a", { method: "POST", body: "hello" });
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.body)).toEqual({
      position: await server.channel("a").position(),
      time: expect.any(Number) as number,
    });
  });

  it("under the same key is stored once, and answered 200 [HTTP-19]", async () => {
    const request = { method: "POST", headers: { "idempotency-key": "once" }, body: "hello" };
    const first = JSON.parse((await ask("/channels/a", request)).body) as object;
    const second = await ask("/channels/a", request);
    expect(second.status).toBe(200);
    expect(JSON.parse(second.body)).toEqual({ ...first, duplicate: true });
    expect((await ask("/channels/a", { ...request, body: "other" })).body).toContain("id-reused");
  });

  it("takes a key, and DELETE deletes it [HTTP-20, HTTP-21]", async () => {
    await ask("/channels/latest/x?key=k", { method: "POST", body: "v" });
    expect((await ask("/channels/latest/x?key=k", { method: "DELETE" })).status).toBe(201);
    const { messages } = await server.channel("latest/x").history({ since: "earliest" });
    expect(messages).toMatchObject([{ kind: "deleted", key: "k", offset: 2 }]);
  });

  it("of 64 KiB and of nothing is taken", async () => {
    expect((await ask("/channels/a", { method: "POST", body: "x".repeat(64 * 1024) })).status).toBe(201);
    expect((await ask("/channels/a", { method: "POST", body: "" })).status).toBe(201);
  });

  it("that announces its body is asked for it", async () => {
    const answer = await askRaw(
      "POST /channels/a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n" +
        "Content-Length: 5\r\nConnection: close\r\n\r\nhello",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
  });

  it("pipelined behind another is answered in order", async () => {
    const post = (body: string, last: boolean): string =>
      `POST /channels/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n` +
      `${last ? "Connection: close\r\n" : ""}\r\n${body}`;
    const answer = await askRaw(post("one", false) + post("two", true));
    expect([...answer.matchAll(/:(\d+)","time"/g)].map((match) => match[1])).toEqual(["1", "2"]);
  });
});

describe("history", () => {
  const read = async (path: string): Promise<Record<string, unknown>> =>
    JSON.parse((await ask(path)).body) as Record<string, unknown>;

  it("of a channel that does not exist is empty, and makes none [HTTP-7, HTTP-12, KEEP-5]", async () => {
    const empty = { messages: [], position: null, head: null, more: false };
    expect(await read("/channels/a")).toEqual(empty);
    expect(await read("/channels/a")).toEqual(empty);
  });

  it("is the newest messages, and pages from a position [HTTP-8, HTTP-9, HTTP-11]", async () => {
    for (let n = 1; n <= 5; n++) await server.channel("a").publish(String(n));
    const head = await server.channel("a").position();
    const at = (offset: number): string => head.replace(/\d+$/, String(offset));
    const offsets = (body: Record<string, unknown>): number[] =>
      (body["messages"] as { offset: number }[]).map(({ offset }) => offset);
    const newest = await read("/channels/a?limit=2");
    expect([offsets(newest), newest["position"], newest["more"]]).toEqual([[4, 5], at(5), false]);
    const page = await read("/channels/a?limit=2&since=earliest");
    expect([offsets(page), page["position"], page["head"], page["more"]]).toEqual([
      [1, 2],
      at(2),
      at(5),
      true,
    ]);
    const rest = await read(`/channels/a?since=${at(2)}`);
    expect([offsets(rest), rest["position"], rest["more"]]).toEqual([[3, 4, 5], at(5), false]);
  });

  it("holds at most 1 MiB [HTTP-14]", async () => {
    for (let n = 0; n < 20; n++) await server.channel("a").publish("x".repeat(64 * 1024));
    const page = await read("/channels/a?since=earliest");
    expect([(page["messages"] as unknown[]).length, page["more"]]).toEqual([16, true]);
  });

  it("is kept by nobody on the way [HTTP-17]", async () => {
    expect((await ask("/channels/a")).headers["cache-control"]).toBe("no-store");
  });

  it("with wait is answered at once where something is there, else when it comes [HTTP-15, HTTP-16]", async () => {
    const waiting = read("/channels/a?wait=");
    const late = read("/channels/a?wait=20&since=");
    while ((server.counters().attached?.[""] ?? 0) < 2) await new Promise((resolve) => setImmediate(resolve));
    await server.channel("a").publish("now");
    for (const body of [await waiting, await late, await read("/channels/a?wait=20&since=earliest")])
      expect(body["messages"]).toMatchObject([{ data: "now", offset: 1 }]);
    expect(await read("/channels/a?wait=0")).toMatchObject({ messages: [] });
  });

  it("answers HEAD with the headers of GET", async () => {
    const answer = await ask("/channels/a", { method: "HEAD" });
    expect([answer.status, answer.body, answer.headers["content-type"]]).toEqual([
      200,
      "",
      "application/json",
    ]);
  });
});

describe("every answer", () => {
  it("tells browsers not to guess, whom it is for, and what it varies by [GATE-8]", async () => {
    for (const path of ["/channels/a", "/nothing", "/channels/other"]) {
      expect((await ask(path)).headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        vary: "Origin, Accept, Accept-Encoding",
      });
    }
  });

  it("to the server's own pages passes the gate, whatever the scheme [GATE-4, GATE-6, GATE-7]", async () => {
    for (const headers of [
      { origin: `http://127.0.0.1:${port}` },
      { origin: `https://127.0.0.1:${port}` },
      { host: "app.localhost", origin: "https://app.localhost" },
      { host: "[::1]:80", origin: "http://[::1]" },
      { "sec-fetch-site": "same-origin" },
      {},
    ] as Record<string, string>[])
      expect((await ask("/channels/a", { headers })).status).toBe(200);
  });

  it("to an allowed origin lets its pages read it, and answers its preflight", async () => {
    await using open = createPartyline({ origins: ["https://app.example"] });
    ({ port } = await open.listen(0));
    const origin = "https://app.example";
    const answer = await ask("/channels/a", { headers: { origin } });
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": origin,
      "cross-origin-resource-policy": "cross-origin",
    });
    const preflight = await ask("/channels/a", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-methods"]).toContain("POST");
    expect((await ask("/channels/a", { headers: { origin: "https://b.example" } })).status).toBe(403);
  });
});
