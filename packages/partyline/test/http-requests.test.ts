import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline } from "../src/server.ts";

let server: Partyline;
let url: string;
let port: number;

beforeEach(async () => {
  server = createPartyline({ channels: { "latest/*": { keep: "latest" }, "chat/**": {}, a: {} } });
  ({ url, port } = await server.listen(0));
});

afterEach(() => server.close());

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** Node's `fetch` sends no `Host` or `Origin` of our choice; `http.request` sends what it is told. */
function ask(
  path: string,
  { method = "GET", headers = {}, body }: Ask = {},
): Promise<{
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path, method, headers, agent: false });
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    request.end(body);
  });
}

/** What comes back for these bytes, until the server ends the connection. */
function askRaw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    socket.on("end", () => resolve(text)).on("error", reject);
  });
}

const JSON_BODY = { "content-type": "application/json" };

describe("a refused request", () => {
  const table: [string, number, string, string, Ask][] = [
    [
      "malformed JSON [MSG-3]",
      400,
      "bad-json",
      "/channels/a",
      { method: "POST", headers: JSON_BODY, body: "{" },
    ],
    [
      "a form [MSG-2]",
      415,
      "wrong-type",
      "/channels/a",
      {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "a=1",
      },
    ],
    [
      "another content type",
      415,
      "wrong-type",
      "/channels/a",
      {
        method: "POST",
        headers: { "content-type": "image/png" },
        body: "x",
      },
    ],
    [
      "a compressed body",
      415,
      "wrong-type",
      "/channels/a",
      {
        method: "POST",
        headers: { "content-encoding": "gzip" },
        body: "x",
      },
    ],
    [
      "a body above the limit [HTTP-5, MSG-5]",
      413,
      "too-large",
      "/channels/a",
      {
        method: "POST",
        body: "x".repeat(64 * 1024 + 1),
      },
    ],
    [
      "a chunked body above the limit",
      413,
      "too-large",
      "/channels/a",
      {
        method: "POST",
        headers: { "transfer-encoding": "chunked" },
        body: "x".repeat(200_000),
      },
    ],
    ["another method [HTTP-4]", 405, "wrong-method", "/channels/a", { method: "PUT", body: "x" }],
    ["another method on /events", 405, "wrong-method", "/events?channel=a", { method: "POST" }],
    ["GET /connect", 405, "wrong-method", "/connect", {}],
    [
      "deleting on a channel that keeps its history [KEEP-10]",
      405,
      "wrong-method",
      "/channels/a?key=x",
      { method: "DELETE" },
    ],
    ["a name that is none", 400, "bad-name", "/channels/chat//x", {}],
    ["a name that climbs", 400, "bad-name", "/channels/chat/..", {}],
    ["no name", 400, "bad-name", "/channels/", {}],
    ["an encoded slash [NAME-6]", 400, "bad-name", "/channels/chat%2Fx", {}],
    ["a malformed escape", 400, "bad-name", "/channels/chat/%zz", {}],
    ["a position that is none [POS-1]", 400, "bad-position", "/channels/a?since=17", {}],
    ["limit 0 [HTTP-13]", 400, "bad-limit", "/channels/a?limit=0", {}],
    ["limit 1001", 400, "bad-limit", "/channels/a?limit=1001", {}],
    ["limit x", 400, "bad-limit", "/channels/a?limit=x", {}],
    ["wait 56 [HTTP-16]", 400, "bad-limit", "/channels/a?wait=56", {}],
    ["wait 1.5", 400, "bad-limit", "/channels/a?wait=1.5", {}],
    [
      "a publish id that is none [PUB-3]",
      400,
      "bad-id",
      "/channels/a",
      {
        method: "POST",
        headers: { "idempotency-key": "no spaces" },
        body: "x",
      },
    ],
    ["a channel that is not defined", 404, "unknown-channel", "/channels/other", {}],
    ["a path that is none of ours [HTTP-3]", 404, "unknown-path", "/nothing/here", {}],
    [
      "a foreign origin [GATE-4]",
      403,
      "foreign-origin",
      "/channels/a",
      { headers: { origin: "http://evil.example" } },
    ],
    ["the origin null", 403, "foreign-origin", "/channels/a", { headers: { origin: "null" } }],
    [
      "a cross-site request without an origin [GATE-5]",
      403,
      "foreign-origin",
      "/channels/a",
      {
        method: "POST",
        headers: { "sec-fetch-site": "cross-site" },
        body: "x",
      },
    ],
    [
      "a foreign host [GATE-2, GATE-3]",
      421,
      "foreign-host",
      "/channels/a",
      { headers: { host: "evil.example" } },
    ],
    [
      "no channel on /events [EVENTS-7]",
      400,
      "bad-name",
      "/events",
      { headers: { accept: "text/event-stream" } },
    ],
    ["33 channels on /events", 429, "too-many-channels", `/events?${"channel=a&".repeat(33)}`, {}],
    [
      "an id of another number of channels [EVENTS-4]",
      400,
      "bad-position",
      "/events?channel=a&channel=chat/b",
      {
        headers: { "last-event-id": "v1,-" },
      },
    ],
    [
      "one position for several channels [EVENTS-5]",
      400,
      "bad-position",
      "/events?channel=a&since=000000000000:1",
      {},
    ],
    [
      "frames of another type",
      415,
      "wrong-type",
      "/connect",
      {
        method: "POST",
        headers: { "content-type": "image/png" },
        body: "x",
      },
    ],
    [
      "a body that does not begin with hello [CONN-4]",
      400,
      "bad-frame",
      "/connect",
      {
        method: "POST",
        body: '{"t":"ping","n":1}',
      },
    ],
    ["a body that is no text", 400, "bad-frame", "/connect", { method: "POST", body: Uint8Array.of(0xff) }],
    ["another version [WIRE-6]", 426, "version", "/connect", { method: "POST", body: '{"t":"hello","v":2}' }],
    [
      "too many lines [CONN-6]",
      413,
      "too-large",
      "/connect",
      {
        method: "POST",
        body: `{"t":"hello","v":1}\n${'{"t":"ping","n":1}\n'.repeat(1_000)}`,
      },
    ],
    [
      "a wait that is too long",
      400,
      "bad-limit",
      "/connect",
      { method: "POST", body: '{"t":"hello","v":1,"wait":99}' },
    ],
  ];

  it.each(table)(
    "for %s is %i %s, with a remedy [HTTP-2, ERR-1]",
    async (_what, status, code, path, request) => {
      const answer = await ask(path, request);
      expect(answer.headers["content-type"]).toBe("application/problem+json");
      const problem = JSON.parse(answer.body) as Record<string, unknown>;
      expect({ status: answer.status, ...problem }).toMatchObject({ status, code });
      for (const field of ["title", "detail", "remedy"]) expect(problem[field]).toMatch(/\S/);
    },
  );

  it("as an event stream is refused likewise, and the connection ends [HTTP-2]", async () => {
    for (const [path, status, code] of [
      ["/channels/other", 404, "unknown-channel"],
      ["/channels/a?since=x", 400, "bad-position"],
      ["/events", 400, "bad-name"],
    ] as const) {
      const answer = await ask(path, { headers: { accept: "text/event-stream" } });
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.body)).toMatchObject({ status, code });
      expect(answer.headers["connection"]).toBe("close");
    }
  });

  it("names the methods that there are [HTTP-4]", async () => {
    expect((await ask("/channels/a", { method: "PUT" })).headers["allow"]).toBe(
      "GET, HEAD, POST, DELETE, OPTIONS",
    );
    expect((await ask("/events", { method: "PUT" })).headers["allow"]).toBe("GET, HEAD, OPTIONS");
    expect((await ask("/connect", { method: "PUT" })).headers["allow"]).toBe("POST, OPTIONS");
  });

  it("names the header to add to a form, and the origin to allow [MSG-2, GATE-4]", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await ask("/channels/a", { method: "POST", headers: form, body: "x" })).body).toContain(
      "content-type: application/json",
    );
    expect((await ask("/channels/a", { headers: { origin: "https://b.example" } })).body).toContain(
      "--origin https://b.example",
    );
  });

  it("for headers that are too large is 431 [HTTP-6]", async () => {
    const answer = await askRaw(
      `GET /channels/a HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"code":"headers-too-large"');
  });

  it("that is no HTTP is 400, and the server lives on", async () => {
    expect(await askRaw("hello\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    expect((await ask("/channels/a")).status).toBe(200);
  });

  it("is refused by the gate before its body is asked for [GATE-1]", async () => {
    const answer = await askRaw(
      "POST /channels/a HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n" +
        "Expect: 100-continue\r\nContent-Length: 10\r\nConnection: close\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  });

  it("is counted by its code", async () => {
    await ask("/channels/other");
    expect(server.counters().refused).toEqual({ "unknown-channel": 1 });
  });
});

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
    const head = (await server.channel("a").position()) ?? "";
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
        vary: "Origin, Accept",
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
    ({ port, url } = await open.listen(0));
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
    expect(url).toContain(String(port));
  });
});
