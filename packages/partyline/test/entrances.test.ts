/** Whatever fails while a request is answered: the process lives, the peer has an answer or a closed socket, the log a stack. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import { createCounters } from "../src/core/counters.ts";
import { createEngine } from "../src/core/engine.ts";
import type { Engine } from "../src/core/ports.ts";
import { createHttpService, type HttpService } from "../src/http/http-service.ts";
import { createPartyline, systemClock } from "../src/server.ts";
import { makeCertificate } from "./support/certificate.ts";
import { createHttp2Fetch } from "./support/http2-fetch.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";
import { askRaw } from "./transport/ask.ts";

const HELLO = '{"t":"hello","v":1}';
const ATTACH = '{"t":"attach","n":1,"channel":"a"}';
const STREAM = { accept: "text/event-stream" };

type Part = "authenticate" | "hello" | "open" | "converse" | "publish" | "remove" | "history";

/** Every handler: a request that reaches it, and the functions of the engine that it calls. */
const HANDLERS: readonly (readonly [name: string, path: string, RequestInit, parts: readonly Part[]])[] = [
  ["history", "/channels/a", {}, ["authenticate", "history"]],
  ["the head of history", "/channels/a", { method: "HEAD" }, ["authenticate", "history"]],
  ["a long poll", "/channels/a?wait=1", {}, ["authenticate", "history"]],
  ["a publish", "/channels/a", { method: "POST", body: "x" }, ["authenticate", "publish"]],
  ["a deletion", "/channels/latest?key=k", { method: "DELETE" }, ["authenticate", "remove"]],
  ["a stream", "/channels/a", { headers: STREAM }, ["authenticate", "open"]],
  ["/events", "/events?channel=a", { headers: STREAM }, ["authenticate", "open"]],
  ["commands", "/connect", { method: "POST", body: `${HELLO}\n{"t":"ping","n":1}` }, ["hello", "converse"]],
  [
    "a poll of /connect",
    "/connect",
    { method: "POST", body: `{"t":"hello","v":1,"wait":1}\n${ATTACH}` },
    ["hello", "converse"],
  ],
  [
    "a stream of /connect",
    "/connect",
    { method: "POST", body: `${HELLO}\n${ATTACH}`, headers: STREAM },
    ["hello", "converse"],
  ],
];

const fault = (): Error => new Error("broken on purpose");

/** The ways in which a function of the engine fails; `open` and `converse` give no promise. */
const FAULTS: readonly (readonly [how: string, late: boolean, () => unknown])[] = [
  [
    "throws an Error",
    false,
    () => {
      throw fault();
    },
  ],
  [
    "throws no Error",
    false,
    () => {
      throw Object.create(null) as Error;
    },
  ],
  ["answers nonsense", false, () => undefined],
  ["rejects at once", true, () => Promise.reject(fault())],
  ["rejects later", true, () => new Promise((_, reject) => setImmediate(() => reject(fault())))],
  ["answers nonsense later", true, () => new Promise((resolve) => setImmediate(() => resolve(undefined)))],
];

const faultsOf = (part: Part) =>
  FAULTS.filter(([, late]) => !late || (part !== "open" && part !== "converse"));

interface Rig {
  readonly service: HttpService;
  readonly logged: string[];
  /** What escaped: empty, or the process would have ended. */
  readonly escaped: unknown[];
  break(part: Part, fault: () => unknown): void;
  mend(): void;
}

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function createRig(): Rig {
  const logged: string[] = [];
  const log = (message: string, details: Readonly<Record<string, unknown>> = {}): void =>
    void logged.push(`${message} ${String(details["stack"])}`);
  const engine = createEngine({
    broker: createMemoryBroker(),
    clock: systemClock,
    logger: { info: () => undefined, warn: () => undefined, error: log },
    metrics: createCounters(),
    channels: { a: {}, latest: { keep: "latest" } },
  });
  const broken: Engine = { ...engine };
  const service = createHttpService(broken, { warned: true }, Math.random);
  const escaped: unknown[] = [];
  const escapes = (error: unknown): void => void escaped.push(error);
  process.on("uncaughtException", escapes).on("unhandledRejection", escapes);
  ends.push(async () => {
    await service.close(100);
    await engine.close();
    process.off("uncaughtException", escapes).off("unhandledRejection", escapes);
  });
  return {
    service,
    logged,
    escaped,
    break: (part, fault) => Object.assign(broken, { [part]: fault }),
    mend: () => Object.assign(broken, engine),
  };
}

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/** A way in. */
interface Entrance {
  readonly name: string;
  open(rig: Rig): Promise<Fetch>;
}

async function attachedTo(
  rig: Rig,
  start: (service: HttpService) => ReturnType<typeof createServer>,
): Promise<Fetch> {
  const http = start(rig.service);
  await once(http.listen(0, "127.0.0.1"), "listening");
  ends.push(() => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  });
  const { port } = http.address() as AddressInfo;
  return (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
}

const ENTRANCES: readonly Entrance[] = [
  {
    name: "a server of its own",
    async open({ service }) {
      const { port } = await service.listen({ port: 0, host: "127.0.0.1" }, undefined);
      return (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
    },
  },
  {
    name: "a server of its own over HTTP/2",
    async open({ service }) {
      const { port } = await service.listen({ port: 0, host: "127.0.0.1" }, makeCertificate());
      const http2 = createHttp2Fetch();
      ends.push(() => http2[Symbol.asyncDispose]());
      return (path, init) => http2.fetch(`https://127.0.0.1:${port}${path}`, init);
    },
  },
  {
    name: "attach",
    open: (rig) =>
      attachedTo(rig, (service) => {
        const http = createServer();
        service.attach(http);
        return http;
      }),
  },
  {
    name: "the handler",
    open: (rig) =>
      attachedTo(rig, (service) => createServer((request, response) => service.handler(request, response))),
  },
  {
    name: "fetch",
    open: ({ service }) =>
      Promise.resolve((path, init) => service.fetch(new Request(`http://127.0.0.1${path}`, init))),
  },
];

describe.each(ENTRANCES)("a failure behind $name", (entrance) => {
  it.each(HANDLERS)(
    "in %s is an answer, and the next request is served",
    async (_name, path, init, parts) => {
      const rig = createRig();
      const ask = await entrance.open(rig);
      for (const part of parts)
        for (const [how, , breaks] of faultsOf(part)) {
          rig.break(part, breaks);
          // A stream whose head was written is closed; anything else is an answer. Nonsense for grants may pass unused.
          const status = await ask(path, init).then(
            async (response) => {
              await response.body?.cancel().catch(() => undefined);
              return response.status;
            },
            () => "closed" as const,
          );
          const expected = part === "authenticate" && how.includes("nonsense") ? [200, 500] : [500, "closed"];
          expect([part, how, expected.includes(status) || init.headers === STREAM ? "well" : status]).toEqual(
            [part, how, "well"],
          );
          rig.mend();
          expect((await ask("/connect/live", {})).status).toBe(200);
        }
      await until(() => rig.service.connections === 0);
      expect(rig.escaped).toEqual([]);
      expect(rig.logged.join("\n")).toContain("Error: broken on purpose\n    at ");
    },
  );
});

describe("a failure behind an upgrade", () => {
  const UPGRADE =
    "Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

  it.each(["/channels/a", "/connect"])("at %s is an answer or a closed socket", async (path) => {
    const rig = createRig();
    const { port } = await rig.service.listen({ port: 0, host: "127.0.0.1" }, undefined);
    const parts: readonly Part[] = path === "/connect" ? ["converse"] : ["authenticate", "open"];
    for (const part of parts)
      for (const [how, , breaks] of faultsOf(part)) {
        // Without a conversation a WebSocket is open and silent until its peer says something.
        if (part === "converse" && how.includes("nonsense")) continue;
        rig.break(part, breaks);
        const answer = await askRaw(port, `GET ${path} HTTP/1.1\r\n${UPGRADE}`);
        expect([how, answer]).toEqual([how, expect.stringMatching(/^(HTTP\/1\.1 (500|101) |$)/)]);
        rig.mend();
      }
    await until(() => rig.service.connections === 0);
    expect(rig.escaped).toEqual([]);
  });
});

describe("a request line that names HTTP/2.0", () => {
  const lines = [
    "GET /channels/a",
    "GET /",
    "POST /connect",
    "GET /connect/live",
    "HEAD /channels/a",
    "OPTIONS *",
  ];

  it("is refused with 505 over HTTP/1.1, and the server goes on [HTTP-26]", async () => {
    const server = createPartyline({ logger: silent });
    ends.push(() => server.close());
    const { port, url } = await server.listen(0, "127.0.0.1");
    for (const version of ["2.0", "0.9"])
      for (const line of lines)
        for (const more of [
          "",
          "Accept: text/event-stream\r\n",
          "Connection: Upgrade\r\nUpgrade: websocket\r\n",
        ]) {
          const answer = await askRaw(port, `${line} HTTP/${version}\r\nHost: localhost\r\n${more}\r\n`);
          expect([line, version, more, answer]).toEqual([
            line,
            version,
            more,
            expect.stringMatching(/^HTTP\/1\.1 505 .*\r\nConnection: close\r\n/is),
          ]);
        }
    expect((await fetch(`${url}/connect/live`)).status).toBe(200);
  });

  it("is refused over TLS too", async () => {
    const server = createPartyline({ logger: silent });
    ends.push(() => server.close());
    const { port } = await server.listen(0, "127.0.0.1", { tls: makeCertificate() });
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    socket.write("GET /channels/a HTTP/2.0\r\nHost: localhost\r\n\r\n");
    let text = "";
    for await (const piece of socket.setEncoding("utf8")) text += String(piece);
    expect(text).toMatch(/^HTTP\/1\.1 505 /);
  });

  it("does not end an application that has attached the server", async () => {
    const server = createPartyline({ logger: silent });
    const http = createServer((_request, response) => void response.end("own"));
    server.attach(http);
    await once(http.listen(0, "127.0.0.1"), "listening");
    ends.push(() => new Promise((resolve) => http.close(resolve)));
    ends.push(() => server.close());
    const { port } = http.address() as AddressInfo;
    expect(await askRaw(port, "GET /channels/a HTTP/2.0\r\nHost: localhost\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 505 /,
    );
    expect(await (await fetch(`http://127.0.0.1:${port}/own`)).text()).toBe("own");
  });
});

it("a target that is no path is refused, and the server goes on", async () => {
  const server = createPartyline({ logger: silent });
  ends.push(() => server.close());
  const { port, url } = await server.listen(0, "127.0.0.1");
  const targets = [
    "//",
    "http://",
    "*",
    "%",
    "/%",
    "/channels/%",
    "/channels/%ff",
    "http://[",
    "?",
    "#",
    "x",
    "/connect/",
    "http:///channels/a",
    "/channels/a?since=%",
    "/events?channel=%",
    "/channels/a?%&=&&;",
  ];
  for (const target of targets)
    for (const more of [
      "",
      "Accept: text/event-stream\r\n",
      "Connection: Upgrade\r\nUpgrade: websocket\r\n",
    ]) {
      const socket = connect(port, "127.0.0.1");
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`);
      const [head] = (await once(socket, "data")) as [Buffer];
      socket.destroy();
      expect([target, head.toString()]).toEqual([
        target,
        expect.stringMatching(/^HTTP\/1\.1 (200|400|404) /),
      ]);
    }
  expect((await fetch(`${url}/connect/live`)).status).toBe(200);
});
