/** Pages of other origins: which may read an answer, which may show the user's cookies, and what the log says of the rest. */
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { makeCertificate } from "./support/certificate.ts";
import { createHttp2Fetch } from "./support/http2-fetch.ts";
import { silent } from "./support/line-rig.ts";
import { HELLO } from "./support/peers.ts";
import { ask } from "./transport/ask.ts";
import { openSocket } from "./transport/websocket-probes.ts";

const APP = "https://app.example";
const COOKIE = "session=ada";

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function create(options: PartylineOptions): Partyline {
  const server = createPartyline({ logger: silent, ...options });
  ends.push(() => server.close());
  return server;
}

interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | null;
}

type Ask = (
  path: string,
  init: { method?: string; headers: Record<string, string>; body?: string },
) => Promise<Answer>;

const WAYS: readonly (readonly [name: string, (server: Partyline) => Promise<Ask>])[] = [
  [
    "a server of its own",
    async (server) => {
      const { port } = await server.listen(0, "127.0.0.1");
      return askPort(port);
    },
  ],
  [
    "a server of its own over HTTP/2",
    async (server) => {
      const { url } = await server.listen(0, "127.0.0.1", { tls: makeCertificate() });
      const http2 = createHttp2Fetch();
      ends.push(() => http2[Symbol.asyncDispose]());
      return async (path, init) => answerOf(await http2.fetch(url + path, init));
    },
  ],
  [
    "attach",
    async (server) => {
      const http = createServer();
      server.attach(http);
      await once(http.listen(0, "127.0.0.1"), "listening");
      ends.push(() => new Promise((resolve) => http.close(resolve)));
      return askPort((http.address() as AddressInfo).port);
    },
  ],
  [
    "fetch",
    async (server) => async (path, init) => {
      const { headers, ...rest } = init;
      return answerOf(await server.fetch(new Request(`http://localhost${path}`, { ...rest, headers })));
    },
  ],
];

function askPort(port: number): Ask {
  return async (path, init) => {
    const { status, headers } = await ask(port, path, init);
    return { status, header: (name) => headers[name]?.toString() ?? null };
  };
}

async function answerOf(response: Response): Promise<Answer> {
  await response.body?.cancel();
  return { status: response.status, header: (name) => response.headers.get(name) };
}

const PREFLIGHT = { method: "OPTIONS" };

describe.each(WAYS)("over %s", (_name, open) => {
  it("mirrors the headers that an allowed page wants to send, up to 1 000 characters [GATE-15]", async () => {
    const to = await open(create({ origins: [APP] }));
    const preflight = async (wanted: string, origin = APP): Promise<string | null> => {
      const headers = {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": wanted,
      };
      return (await to("/channels/a", { ...PREFLIGHT, headers })).header("access-control-allow-headers");
    };
    expect(await preflight("baggage,content-type,traceparent")).toBe("baggage,content-type,traceparent");
    const fixed = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID";
    for (const wanted of ["x".repeat(1_001), "a;b", "(a)"]) expect(await preflight(wanted)).toBe(fixed);
    expect(await preflight("traceparent", "https://evil.example")).toBeNull();
  });

  it("lets a named origin show cookies, and no other one [GATE-13, GATE-14]", async () => {
    const seen: (string | undefined)[] = [];
    const authenticate: PartylineOptions["authenticate"] = ({ header }) => {
      seen.push(header("cookie"));
      return { grants: { allows: () => true } };
    };
    const shared = "capacitor://localhost";
    const to = await open(create({ origins: [APP, shared, "*"], authenticate }));
    const said = async (
      origin: string,
      init: { method?: string; body?: string } = {},
    ): Promise<unknown[]> => {
      const { status, header } = await to("/channels/a", { ...init, headers: { origin, cookie: COOKIE } });
      const names = ["access-control-allow-origin", "access-control-allow-credentials"];
      return [status, ...names.map(header), seen.pop()];
    };
    expect(await said(APP)).toEqual([200, APP, "true", COOKIE]);
    expect(await said(shared)).toEqual([200, shared, null, undefined]);
    expect(await said("https://any.example")).toEqual([200, "*", null, undefined]);
    // A page needs no preflight for this one: the cookie must not count.
    expect(await said("https://any.example", { method: "POST", body: "x" })).toEqual([
      201,
      "*",
      null,
      undefined,
    ]);
  });
});

it("a WebSocket of an origin that `*` allows is not known by its cookies [GATE-13]", async () => {
  const seen: (string | undefined)[] = [];
  const server = create({
    origins: [APP, "*"],
    authenticate({ header }) {
      seen.push(header("cookie"));
      return { grants: { allows: () => true } };
    },
  });
  const { url } = await server.listen(0, "127.0.0.1");
  for (const origin of [APP, "https://any.example"])
    for (const path of ["/channels/a", "/connect"]) {
      const socket = await openSocket(url + path, [], { origin, cookie: COOKIE });
      if (path === "/connect") {
        socket.send(HELLO);
        await once(socket, "message");
      }
      socket.terminate();
    }
  expect(seen).toEqual([COOKIE, COOKIE, undefined, undefined]);
});

it("the log names the option that lets a refused page in, once for each of 100 origins [GATE-16]", async () => {
  const warned: string[] = [];
  const server = create({ logger: { ...silent, warn: (message) => warned.push(message) } });
  const { port } = await server.listen(0, "127.0.0.1");
  const refused = async (origin: string): Promise<void> => {
    const { status } = await ask(port, "/connect", { method: "POST", headers: { origin } });
    expect(status).toBe(403);
  };
  for (let n = 0; n < 3; n++) await refused("http://localhost:5173");
  expect(warned).toEqual([expect.stringContaining('origins: ["http://localhost:5173"]')]);
  for (let n = 0; n < 200; n++) await refused(`http://localhost:${n + 6_000}`);
  expect(warned).toHaveLength(100);
});

describe("a server that listens on", () => {
  const status = async (port: number, host: string, connectTo: string): Promise<number | undefined> => {
    const request = get({ host: connectTo, port, path: "/channels/a", headers: { host } });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };

  it.each([
    "LOCALHOST",
    "0:0:0:0:0:0:0:1",
    "::1",
    "::ffff:127.0.0.1",
    "0x7f000001",
    "127.1",
    "127.0.0.1",
    undefined,
  ])("%j is reached by the names of this machine alone [GATE-3, GATE-17]", async (host) => {
    const server = create({});
    const { port, address } = await server.listen(0, host);
    expect(await status(port, "evil.example", address)).toBe(421);
    expect(await status(port, "localhost", address)).toBe(200);
  });

  it("every address is reached by any name, and says so once", async () => {
    const warned: string[] = [];
    const server = create({ logger: { ...silent, warn: (message) => warned.push(message) } });
    const { port } = await server.listen(0, "0.0.0.0");
    expect(await status(port, "evil.example", "127.0.0.1")).toBe(200);
    expect(warned).toEqual([expect.stringContaining("`hosts`")]);
  });

  it("an empty host is refused: it would be every address", async () => {
    for (const host of ["", " "]) await expect(create({}).listen(0, host)).rejects.toThrow(TypeError);
  });
});
