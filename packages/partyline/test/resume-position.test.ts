/** Where a reader says what it has seen: in a header, in the query as polyfills of `EventSource` do, or by `since`. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline } from "../src/server.ts";
import { silent } from "./support/line-rig.ts";
import { listen as openStream } from "./support/peers.ts";
import { openSocket } from "./transport/websocket-probes.ts";

let server: Partyline;
let url: string;

beforeEach(async () => {
  server = createPartyline({ logger: silent });
  ({ url } = await server.listen(0, "127.0.0.1"));
  for (const n of [1, 2, 3, 4, 5, 6]) await server.channel("a").publish(n);
});

afterEach(() => server.close());

type Headers = Readonly<Record<string, string>>;

/** The three messages that are read first, and what it is refused for. */
interface Reader {
  readonly name: string;
  /** How it names a position of channel `a`. */
  readonly id: (position: string) => string;
  readonly read: (query: string, headers: Headers) => Promise<readonly unknown[]>;
}

async function readStream(path: string, headers: Headers): Promise<readonly unknown[]> {
  const asked = { headers: { accept: "text/event-stream", ...headers } };
  const refused = await fetch(url + path, asked);
  if (!refused.ok) return [((await refused.json()) as { code: string }).code];
  await refused.body?.cancel();
  const stream = await openStream(url + path, asked);
  const read: unknown[] = [];
  while (read.length < 3) {
    const event = await stream.next();
    if (event === "end") throw new Error("The stream has ended.");
    if (event.event === "message") read.push(JSON.parse(event.data));
  }
  stream.leave();
  return read;
}

async function readHistory(path: string, headers: Headers): Promise<readonly unknown[]> {
  const answer = (await (await fetch(url + path, { headers })).json()) as {
    code?: string;
    messages?: { data: unknown }[];
  };
  return answer.messages?.map(({ data }) => data).slice(0, 3) ?? [answer.code];
}

const READERS: readonly Reader[] = [
  {
    name: "an event stream",
    id: (position) => position,
    read: (query, headers) => readStream(`/channels/a?${query}`, headers),
  },
  {
    name: "/events",
    id: (position) => `v1,${position}`,
    read: async (query, headers) => {
      const read = await readStream(`/events?channel=a&${query}`, headers);
      return read.map((one) => (typeof one === "object" ? (one as { data: unknown }).data : one));
    },
  },
  {
    name: "history",
    id: (position) => position,
    read: (query, headers) => readHistory(`/channels/a?${query}`, headers),
  },
  {
    name: "a long poll",
    id: (position) => position,
    read: (query, headers) => readHistory(`/channels/a?wait=5&${query}`, headers),
  },
  {
    name: "a raw WebSocket",
    id: (position) => position,
    read: async (query, headers) => {
      const read: unknown[] = [];
      try {
        await new Promise<void>((resolve, reject) => {
          openSocket(`${url}/channels/a?${query}`, [], headers, (socket) =>
            socket.on("message", (data: Buffer) => {
              if (read.length < 3) read.push(Number(data.toString()));
              if (read.length < 3) return;
              socket.terminate();
              resolve();
            }),
          ).catch(reject);
        });
      } catch (error) {
        return [(error as { code: string }).code];
      }
      return read;
    },
  },
];

describe.each(READERS)("$name", ({ id, read }) => {
  const position = async (offset: number): Promise<string> => {
    const { head } = await server.channel("a").history();
    return id(String(head).replace(/\d+$/, String(offset)));
  };
  const query = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();

  it.each(["lastEventId", "lasteventid", "LASTEVENTID", "Last-Event-ID", "last-event-id"])(
    "goes on from %s in the query, which counts before since [SSE-9, SSE-19, EVENTS-5]",
    async (name) => {
      expect(await read(query({ [name]: await position(3) }), {})).toEqual([4, 5, 6]);
      expect(await read(query({ since: "earliest", [name]: await position(3) }), {})).toEqual([4, 5, 6]);
      expect(await read(query({ since: "earliest", [name]: "" }), {})).toEqual([1, 2, 3]);
      expect(await read(query({ [name]: await position(1), lastEventId: await position(3) }), {})).toEqual([
        4, 5, 6,
      ]);
    },
  );

  it("goes on from the header before all else, unless that is empty [SSE-9, SSE-19, POS-8]", async () => {
    const inQuery = query({ since: "earliest", lastEventId: await position(1) });
    expect(await read(inQuery, { "last-event-id": await position(3) })).toEqual([4, 5, 6]);
    expect(await read(inQuery, { "last-event-id": "" })).toEqual([2, 3, 4]);
  });

  it("is refused an id that is no position [SSE-19]", async () => {
    for (const nonsense of ["x", "e:", ":4", "1 2", "e:-1", "v1", "undefined"])
      expect([nonsense, await read(query({ since: "earliest", lastEventId: nonsense }), {})]).toEqual([
        nonsense,
        ["bad-position"],
      ]);
  });
});
