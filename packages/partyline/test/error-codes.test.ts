/** Each error code, provoked over the network. The table is complete by its type: a new code needs its row. */
import { afterEach, expect, it } from "vitest";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import type { Broker } from "../src/core/ports.ts";
import { type ErrorCode, ERRORS } from "../src/protocol/errors.ts";
import { createPartyline, type Partyline } from "../src/server.ts";
import { createVirtualClock } from "../src/testing/virtual-clock.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";
import { type Ask, ask, askRaw } from "./transport/ask.ts";
import { deferred } from "./transport/probe.ts";

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const NUMBERS = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) =>
      typeof value === "number" ? { value } : { issues: [{ message: "not a number" }] },
  },
} as const;

interface Rig {
  readonly server: Partyline;
  readonly port: number;
  readonly url: string;
}

/** A server at which everything can go wrong. */
async function start(): Promise<Rig> {
  const memory = createMemoryBroker();
  const late = deferred<void>();
  const broker: Broker = {
    ...memory,
    async append(spec, messages) {
      if (spec.name === "lost") throw new Error("the disk is gone");
      if (spec.name === "slow") await late.promise;
      return memory.append(spec, messages);
    },
    read(spec, since, limit) {
      if (spec.name === "broken") throw new Error("secret of the inside");
      return memory.read(spec, since, limit);
    },
  };
  const server = createPartyline({
    broker,
    logger: silent,
    channels: {
      a: {},
      slow: {},
      lost: {},
      broken: {},
      private: {},
      served: { publish: "server" },
      numbers: { message: NUMBERS },
      latest: { keep: "latest", maxKeys: 1 },
    },
    limits: { connections: 1, pendingPublishes: 1, commandBurst: 2, commandsPerSecond: 1 },
    authenticate: ({ token }) =>
      token === "expired" ? undefined : { grants: { allows: (_action, channel) => channel !== "private" } },
  });
  ends.push(() => server.close());
  const { port, url } = await server.listen(0, "127.0.0.1");
  // What waits for the broker is answered before the server ends.
  ends.push(() => late.resolve());
  return { server, port, url };
}

/** An answer; without a status where the refusal is no answer of its own. */
interface Refusal {
  readonly status?: number;
  readonly body: string;
}

const HELLO = '{"t":"hello","v":1}';
const STREAM = { accept: "text/event-stream" };

const asks =
  (path: string, request?: Ask) =>
  ({ port }: Rig): Promise<Refusal> =>
    ask(port, path, request);
const posts = (path: string, body: string, headers: Record<string, string> = {}) =>
  asks(path, { method: "POST", body, headers });
/** The answers to commands, which come with 200 whatever they are. */
const commands =
  (...lines: string[]) =>
  async ({ port }: Rig): Promise<Refusal> => {
    const { body } = await ask(port, "/connect", { method: "POST", body: [HELLO, ...lines].join("\n") });
    return { body };
  };

/** An event stream that is open. */
async function follow({ url, server }: Rig): Promise<Response> {
  const abort = new AbortController();
  ends.push(() => abort.abort());
  const stream = await fetch(`${url}/channels/a`, { headers: STREAM, signal: abort.signal });
  await until(() => server.connections === 1);
  return stream;
}

const PROVOCATIONS: Record<ErrorCode, (rig: Rig) => Promise<Refusal>> = {
  "bad-frame": posts("/connect", "nonsense"),
  "bad-json": posts("/channels/a", "{", { "content-type": "application/json" }),
  "bad-name": asks("/channels/a//b"),
  "bad-position": asks("/channels/a?since=yesterday"),
  "bad-limit": asks("/channels/a?limit=0"),
  "bad-id": posts("/channels/a", "x", { "idempotency-key": "no spaces" }),
  unauthorized: asks("/channels/a", { headers: { authorization: "Bearer expired" } }),
  forbidden: asks("/channels/private"),
  "foreign-origin": asks("/channels/a", { headers: { origin: "https://elsewhere.example" } }),
  "unknown-path": asks("/nothing"),
  "unknown-channel": asks("/channels/other"),
  "wrong-method": asks("/channels/a", { method: "PUT" }),
  async "body-timeout"() {
    const clock = createVirtualClock();
    const server = createPartyline({ clock });
    const init = { method: "POST", body: new ReadableStream(), duplex: "half" } as RequestInit;
    const answer = server.fetch(new Request("http://localhost/channels/a", init));
    clock.advance(20_000);
    const { status, body } = await answer.then(async (got) => ({
      status: got.status,
      body: await got.text(),
    }));
    return { status, body };
  },
  "too-large": posts("/channels/a", "x".repeat(64 * 1024 + 1)),
  "wrong-type": posts("/channels/a", "x", { "content-type": "image/png" }),
  "foreign-host": asks("/channels/a", { headers: { host: "elsewhere.example" } }),
  invalid: posts("/channels/numbers", '"seven"'),
  async "id-reused"(rig) {
    const once = { "idempotency-key": "once" };
    await posts("/channels/a", "one", once)(rig);
    return posts("/channels/a", "two", once)(rig);
  },
  version: posts("/connect", '{"t":"hello","v":2}'),
  "rate-limited": commands('{"t":"ping","n":1}', '{"t":"ping","n":2}', '{"t":"ping","n":3}'),
  "too-many-channels": asks(`/events?${"channel=a&".repeat(33)}`),
  async "too-many-connections"(rig) {
    await follow(rig);
    return asks("/channels/a", { headers: STREAM })(rig);
  },
  async "too-many-keys"(rig) {
    await posts("/channels/latest?key=one", "1")(rig);
    return posts("/channels/latest?key=two", "2")(rig);
  },
  async "headers-too-large"({ port }) {
    const text = await askRaw(
      port,
      `GET /channels/a HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
    );
    return { status: Number(text.split(" ", 2)[1]), body: text };
  },
  internal: asks("/channels/broken?since=earliest"),
  async misconfigured({ server }) {
    const request = new Request("http://localhost/channels/a", { method: "POST", body: "x" });
    await request.text();
    const answer = await server.fetch(request);
    return { status: answer.status, body: await answer.text() };
  },
  async draining(rig) {
    const stream = await follow(rig);
    const body = stream.text();
    await rig.server.close();
    return { body: await body };
  },
  // One is being stored, one waits, and one is too many: it is answered first.
  overloaded: (rig) =>
    Promise.race(["1", "2", "3"].map((text) => posts("/channels/slow", text)(rig).catch(neverMind))),
  uncertain: posts("/channels/lost", "x"),
  again: commands(
    '{"t":"publish","n":1,"channel":"a","id":"!","at":1,"data":1}',
    '{"t":"publish","n":2,"channel":"a","id":"fine","at":1,"data":2}',
  ),
};

function neverMind(): Refusal {
  return { body: "" };
}

it.each(Object.entries(PROVOCATIONS) as [ErrorCode, (rig: Rig) => Promise<Refusal>][])(
  "%s comes over the network with its status and a remedy [ERR-1, HTTP-2]",
  async (code, provoke) => {
    const { status, body } = await provoke(await start());
    expect(body).toContain(`"code":"${code}"`);
    expect(body).toMatch(/"remedy":"[^"]+"/);
    expect(status ?? ERRORS[code].status).toBe(ERRORS[code].status);
    expect(body).not.toContain("secret of the inside");
  },
);
