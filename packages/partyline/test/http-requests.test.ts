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
      "a wait of nothing",
      400,
      "bad-limit",
      "/connect",
      { method: "POST", body: '{"t":"hello","v":1,"wait":0}' },
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
