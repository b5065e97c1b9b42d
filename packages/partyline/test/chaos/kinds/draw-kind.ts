import type {
  ChannelName,
  ClientSetup,
  IteratorEnd,
  ProxyAct,
  ResumesBy,
  Spelling,
  Step,
  TokenKind,
} from "../history.ts";
import { Random } from "../random.ts";
import { ALLOWED_ORIGINS, FOREIGN_ORIGIN, type Kind, KINDS } from "./kinds.ts";

/** Clients of a kind, and the steps that concern them. */
export interface Drawn {
  readonly clients: readonly ClientSetup[];
  readonly steps: readonly Step[];
}

const TRANSPORTS = ["ws", "sse", "poll"] as const;
const CAFE = "caf\u00e9";

/** A chance of its own for each kind. */
export function randomOf(kind: Kind, seed: number): Random {
  return new Random(Math.imul(seed, 31) + (KINDS.indexOf(kind) + 1) * 7919);
}

/** @param client Number of the first client of this kind. */
export function drawKind(kind: Kind, random: Random, client: number): Drawn {
  return draw[kind](random, client);
}

const draw: Readonly<Record<Kind, (random: Random, client: number) => Drawn>> = {
  spellings(random, client) {
    const setup = drawClient(random);
    // Two tabs that share a connection may spell the name differently too.
    const clients = random.chance(40)
      ? [shared(setup), shared(setup)]
      : [{ ...setup, stores: random.chance(30) }];
    const spelling = (): Spelling => random.pick(["composed", "decomposed"]);
    const at = (): { client: number; channel: ChannelName; spelling: Spelling } => ({
      client: client + random.between(0, clients.length - 1),
      channel: CAFE,
      spelling: spelling(),
    });
    const read = (): Step => ({ do: "read", ...at(), since: random.pick(["now", "earliest"]) });
    return {
      clients,
      steps: [
        ...clients.flatMap((_, index): Step[] => [
          { do: "read", client: client + index, channel: CAFE, spelling: "composed", since: "earliest" },
          { do: "read", client: client + index, channel: CAFE, spelling: "decomposed", since: "earliest" },
        ]),
        ...repeat(random.between(6, 16), () =>
          random.weighted<() => Step>([
            [6, () => ({ do: "publish", ...at(), count: random.between(1, 6), bytes: 20 })],
            [2, () => ({ do: "publish", channel: CAFE, spelling: spelling(), count: 2, bytes: 20 })],
            [1, () => ({ do: "post", ...at(), count: 2 })],
            [3, () => ({ do: "leave", ...at() })],
            [4, read],
            [1, () => ({ do: "stream", ...at(), by: "events" })],
            [2, () => ({ do: "fault", client: at().client, fault: "cut" })],
            [4, () => pass(random)],
          ])(),
        ),
      ],
    };
  },

  proxies(random, client) {
    const transports = random.pick([["sse"], ["poll"], ["sse", "poll"], ["ws", "sse", "poll"]] as const);
    const refusesMarked = random.pick([400, 403, 403, 404, 405, 413, 413, 415, 422, 451]);
    return {
      clients: [{ ...drawClient(random), transports, trouble: { refusesMarked } }],
      steps: [
        ...reads(random, client),
        ...repeat(random.between(10, 24), () =>
          random.weighted<() => Step>([
            [7, () => ({ ...publish(random, client), ...(random.chance(25) ? { marked: true } : {}) })],
            [7, () => ({ do: "proxy", client, ...drawProxyAct(random) })],
            [1, () => ({ do: "fault", client, fault: "cut" })],
            [5, () => pass(random)],
          ])(),
        ),
      ],
    };
  },

  uplinks(random, client) {
    const uplink = random.between(4, 8) * 1000;
    return {
      clients: [{ ...drawClient(random), trouble: { uplink } }],
      steps: [
        ...reads(random, client),
        ...repeat(random.between(3, 5), (): Step[] => [
          { ...publish(random, client), count: 1, bytes: random.pick([50, 3000, 20_000, 20_000]) },
          pass(random),
        ]).flat(),
      ],
    };
  },

  queries(random, client) {
    const stream = (): Step => ({
      do: "stream",
      client,
      channel: random.pick(["small", "big", "big"]),
      by: random.pick(["events", "events", "polls"]),
      resumes: random.pick<ResumesBy>(["lastEventId", "LASTEVENTID", "since"]),
      since: random.pick(["earliest", "last:2"]),
    });
    return {
      clients: [drawClient(random)],
      steps: [
        stream(),
        stream(),
        ...repeat(random.between(8, 18), () =>
          random.weighted<() => Step>([
            [4, () => publish(random, client)],
            [1, stream],
            [3, () => ({ do: "fault", client, fault: "cut" })],
            [1, () => ({ do: "fault", client, fault: "halfClose", direction: "down" })],
            [5, () => pass(random)],
          ])(),
        ),
      ],
    };
  },

  iterators(random, client) {
    const channel = random.pick(["small", "big"] as const);
    const iterate = (): Step => ({
      do: "iterate",
      client,
      channel,
      ends: random.pick<IteratorEnd>(["return", "throw", "break", "destroy", "abandon"]),
      after: random.between(0, 6),
    });
    return {
      clients: [{ ...drawClient(random), buffer: random.pick([4, 30]), onGap: "continue" }],
      steps: [
        { do: "read", client, channel, since: "earliest" },
        ...repeat(random.between(8, 20), () =>
          random.weighted<() => Step>([
            [6, iterate],
            [6, () => ({ ...publish(random, client), channel, count: random.between(1, 40) })],
            [1, () => ({ do: "fault", client, fault: "cut" })],
            [4, () => pass(random)],
          ])(),
        ),
      ],
    };
  },

  offline(random, client) {
    return {
      clients: [{ ...drawClient(random), trouble: { lies: true } }],
      steps: [
        ...reads(random, client),
        ...repeat(random.between(6, 14), () =>
          random.weighted<() => Step>([
            [4, () => publish(random, client)],
            [3, () => ({ do: "online", client, says: false })],
            [1, () => ({ do: "online", client, says: true })],
            [4, () => ({ do: "fault", client, fault: random.pick(["cut", "unplug"]) })],
            [3, () => ({ do: "mend", client })],
            [4, () => pass(random)],
          ])(),
        ),
        // In the end it lies, and has to connect all the same.
        { do: "online", client, says: false },
        { do: "fault", client, fault: "cut" },
      ],
    };
  },

  authenticators(random, client) {
    const tokens = repeat(random.between(2, 5), () =>
      random.pick<TokenKind>(["accepted", "slow", "slow", "throws", "rejects", "none"]),
    );
    return {
      clients: [
        { ...drawClient(random), trouble: { tokens: [...tokens, random.pick(["accepted", "slow"])] } },
        { ...drawClient(random), stores: false, trouble: { tokens: ["refused"] } },
      ],
      steps: [
        ...reads(random, client),
        ...repeat(random.between(8, 18), () =>
          random.weighted<() => Step>([
            [6, () => publish(random, client)],
            [1, () => ({ do: "post", client, channel: "big", count: 2 })],
            [4, () => trespass(random, client + 1, "stranger")],
            [4, () => ({ do: "fault", client, fault: "cut" })],
            [5, () => pass(random)],
          ])(),
        ),
      ],
    };
  },

  origins(random, client) {
    const page = (origin: string): ClientSetup => ({
      ...drawClient(random),
      transports: random.pick([["ws"], ["sse"], ["poll"], ["sse", "poll"]] as const),
      stores: false,
      trouble: { origin },
    });
    return {
      clients: [page(random.pick(ALLOWED_ORIGINS)), page(FOREIGN_ORIGIN)],
      steps: [
        ...reads(random, client),
        ...repeat(random.between(8, 16), () =>
          random.weighted<() => Step>([
            [6, () => publish(random, client)],
            [3, () => trespass(random, client + 1, "foreign page")],
            [3, () => ({ do: "fault", client, fault: "cut" })],
            [2, () => ({ do: "switch", client, transport: random.pick(TRANSPORTS) })],
            [5, () => pass(random)],
          ])(),
        ),
      ],
    };
  },
};

/** Bodies of responses that are no news: to a poll, a stream or commands. */
const NOTHINGS = ["", "{}", "[]", "\n", '{"t":"weather"}', "<html></html>", "welcome"] as const;

function drawProxyAct(random: Random): ProxyAct & { readonly times: number } {
  const act = random.weighted<() => ProxyAct>([
    [
      4,
      () => ({
        act: "refuse",
        status: random.pick([400, 403, 404, 405, 408, 413, 425, 429, 451, 500, 502, 503, 504, 520]),
        ...(random.chance(30) ? { retryAfter: 1 } : {}),
      }),
    ],
    [2, () => ({ act: "lost response" })],
    [2, () => ({ act: "redirect", status: random.pick([301, 302, 303, 307, 308] as const) })],
    [3, () => ({ act: "nothing", body: random.pick(NOTHINGS) })],
  ])();
  // As many as a loop without a pause would have made in no time.
  return { ...act, times: act.act === "nothing" ? random.between(1, 200) : random.between(1, 4) };
}

function trespass(random: Random, client: number, as: "stranger" | "foreign page"): Step {
  return { do: "trespass", client, channel: random.pick(["small", "big"]), as };
}

function publish(random: Random, client: number): Extract<Step, { do: "publish" }> {
  const channel = random.pick(["small", "big", "big", "latest"] as const);
  return { do: "publish", client, channel, count: random.between(1, 5), bytes: random.between(0, 200) };
}

function reads(random: Random, client: number): Step[] {
  const since = random.pick(["now", "earliest"] as const);
  return [
    { do: "read", client, channel: "big", since },
    { do: "read", client, channel: random.pick(["small", "latest"]), since },
  ];
}

function pass(random: Random): Step {
  return { do: "pass", ms: random.pick([1, 10, 50, 200, 600]) };
}

function drawClient(random: Random): ClientSetup {
  const first = random.pick(TRANSPORTS);
  const others = TRANSPORTS.filter((name) => name !== first);
  return {
    transports: random.chance(40) ? [first] : [first, ...others],
    onGap: "continue",
    buffer: 1000,
    knowsKeep: random.chance(50),
    stores: false,
  };
}

function shared(setup: ClientSetup): ClientSetup {
  return { ...setup, stores: false, shares: "spellings" };
}

function repeat<T>(times: number, make: () => T): T[] {
  return Array.from({ length: times }, make);
}
