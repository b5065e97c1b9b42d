/** Clients that follow one channel and come back by themselves: ours on each transport, and those of others. */
import { EventSource, type FetchLike } from "eventsource";
import { createClient, type TransportName } from "../../src/client/index.ts";
import { deferred, Inbox } from "../transport/probe.ts";

export interface FollowRequest {
  readonly url: string;
  readonly channel: string;
  /** Default: `now`. */
  readonly since?: string;
}

/** A client at work. */
export interface Follower extends AsyncDisposable {
  /** Resolves when it has been told for the first time where it stands. */
  readonly opened: Promise<void>;
  /** What it was told next: the data of a message, `gap` with the reason, or `refused`. */
  next(): Promise<string>;
  /** How much it was told that nobody has taken. */
  readonly size: number;
}

/** A kind of client. */
export interface FollowerKind {
  readonly name: string;
  readonly follow: (request: FollowRequest) => Follower;
}

/** Every client that resumes by itself. A raw WebSocket has no positions, and nothing to resume by. */
export const FOLLOWERS: readonly FollowerKind[] = [
  ...(["ws", "sse", "poll"] as const).map((transport) => ({
    name: `the client over ${transport}`,
    follow: (request: FollowRequest) => followByClient(request, transport),
  })),
  {
    name: "an EventSource of a channel",
    follow: ({ url, channel, since }) =>
      followByEventSource(`${url}/channels/${channel}?${query({ since })}`, (data) => data),
  },
  {
    name: "an EventSource of /events",
    follow: ({ url, channel, since }) =>
      followByEventSource(
        `${url}/events?${query({ channel, since: since?.includes(":") ? `v1,${since}` : since })}`,
        (data) => (JSON.parse(data) as { data: string }).data,
      ),
  },
  { name: "polls of JSON by fetch", follow: followByPolls },
];

function query(fields: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
  return new URLSearchParams(given).toString();
}

function followByClient({ url, channel: name, since }: FollowRequest, transport: TransportName): Follower {
  const told = new Inbox<string>();
  const opened = deferred<void>();
  const client = createClient(url, { transports: [transport], baseDelay: 1, maxDelay: 20 });
  const channel = client.channel(name, { onGap: "continue", ...(since === undefined ? {} : { since }) });
  channel.on("gap", ({ reason }) => told.push(`gap ${reason}`));
  channel.on("state", ({ status }) => {
    if (status === "attached") opened.resolve();
    if (status === "refused") told.push("refused");
  });
  channel.on("message", ({ data }) => told.push(String(data)));
  return {
    opened: opened.promise,
    next: () => told.next(),
    get size() {
      return told.size;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** As the server says, an EventSource waits two seconds before it comes back: longer than a test likes to. */
const impatientFetch: FetchLike = async (url, init) => {
  const response = await fetch(url, init);
  const { status, redirected, headers } = response;
  const hasten = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      const text = Buffer.from(bytes).toString("latin1").replaceAll("retry: 2000", "retry: 1");
      controller.enqueue(Buffer.from(text, "latin1"));
    },
  });
  const body = response.body?.pipeThrough(hasten) ?? null;
  return { url: response.url, status, redirected, headers, body };
};

function followByEventSource(url: string, dataOf: (data: string) => string): Follower {
  const told = new Inbox<string>();
  const opened = deferred<void>();
  const source = new EventSource(url, { fetch: impatientFetch });
  source.addEventListener("continuous", () => opened.resolve());
  source.addEventListener("gap", ({ data }) => {
    opened.resolve();
    told.push(`gap ${(JSON.parse(String(data)) as { reason: string }).reason}`);
  });
  source.addEventListener("message", ({ data }) => told.push(dataOf(String(data))));
  source.addEventListener("error", ({ code }) => {
    if (code !== undefined) told.push("refused");
  });
  return {
    opened: opened.promise,
    next: () => told.next(),
    get size() {
      return told.size;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(source.close()),
  };
}

interface JsonPage {
  readonly messages: readonly { readonly data: string }[];
  readonly position: string;
  readonly gap?: { readonly reason: string };
}

function followByPolls({ url, channel, since }: FollowRequest): Follower {
  const told = new Inbox<string>();
  const opened = deferred<void>();
  const abort = new AbortController();
  const poll = async (from: string | undefined, wait: string): Promise<string | undefined> => {
    const response = await fetch(`${url}/channels/${channel}?${query({ since: from, wait })}`, {
      signal: abort.signal,
    });
    if (!response.ok) {
      told.push("refused");
      return undefined;
    }
    const { messages, position, gap } = (await response.json()) as JsonPage;
    opened.resolve();
    if (gap) told.push(`gap ${gap.reason}`);
    for (const { data } of messages) told.push(data);
    return position;
  };
  const polling = (async () => {
    for (let from = since, wait = "0"; !abort.signal.aborted;) {
      try {
        from = await poll(from, wait);
        wait = "20";
        if (from === undefined) return;
      } catch {
        // Cut off: it asks again, but gives everything else its turn.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  })();
  return {
    opened: opened.promise,
    next: () => told.next(),
    get size() {
      return told.size;
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await polling;
    },
  };
}
