/** Bugs of others in writing event streams, seen by the npm package `eventsource`. */
import { EventSource } from "eventsource";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline } from "../../src/server.ts";
import { silent } from "../support/line-rig.ts";
import { deferred, Inbox } from "../transport/probe.ts";

let server: Partyline;
let url: string;
const sources: EventSource[] = [];

beforeEach(async () => {
  server = createPartyline({ channels: { latest: { keep: "latest" }, "**": {} }, logger: silent });
  ({ url } = await server.listen(0));
});

afterEach(async () => {
  for (const source of sources.splice(0)) source.close();
  await server.close();
});

interface Heard {
  readonly type: string;
  readonly data: string;
  readonly id: string;
}

/** Everything that an EventSource hears, in order; resolves when it stands. */
async function listen(path: string): Promise<Inbox<Heard>> {
  const source = new EventSource(`${url}${path}`);
  sources.push(source);
  const heard = new Inbox<Heard>();
  const opened = deferred<void>();
  source.addEventListener("continuous", () => opened.resolve());
  for (const type of ["message", "base64", "deleted", "gap", "skip", "mark", "evil"])
    source.addEventListener(type, ({ data, lastEventId }) =>
      heard.push({ type, data: String(data), id: lastEventId }),
    );
  await opened.promise;
  return heard;
}

const INJECTIONS = [
  "a\nevent: evil\ndata: x",
  "a\n\nevent: evil\ndata: x\n\n",
  "a\n\nid: \n\n",
  "a\n\nid:\nretry: 0\n\ndata: b",
  ": comment",
  "data: data",
  " leading space",
  "\n",
  "\ufeff",
];

describe("what is in a message can't write into its stream", () => {
  it.each(["/channels/a", "/events?channel=a"])(
    "with LF: it is the same text at its own position, on %s (hono#4644)",
    async (path) => {
      const heard = await listen(path);
      const textOf = ({ data }: Heard): unknown =>
        path.startsWith("/events") ? (JSON.parse(data) as { data: string }).data : data;
      for (const text of INJECTIONS) {
        const { position } = await server.channel("a").publish(text);
        const event = await heard.next();
        expect([event.type, textOf(event), event.id.replace("v1,", "")]).toEqual(["message", text, position]);
      }
      expect(heard.size).toBe(0);
    },
  );

  it.each(["a\rb", "a\r\nevent: evil\r\ndata: x", "\r\r", "\r\n\r\nid: \r\n\r\n"])(
    "with CR: %j comes back as it was from base64 (hono#4644)",
    async (text) => {
      const heard = await listen("/channels/a");
      const { position } = await server.channel("a").publish(text);
      const { type, data, id } = await heard.next();
      expect([type, Buffer.from(data, "base64").toString(), id]).toEqual(["base64", text, position]);
      expect(heard.size).toBe(0);
    },
  );

  it("as JSON with CRLF between its tokens: it is the same value (hono#4644)", async () => {
    const heard = await listen("/channels/a");
    await fetch(`${url}/channels/a`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{\r\n"a":"\\r\\n\\nevent: evil"\r}',
    });
    expect(JSON.parse((await heard.next()).data)).toEqual({ a: "\r\n\nevent: evil" });
  });

  it("as the key of a deletion: it ends no event early (hono#4644)", async () => {
    const heard = await listen("/channels/latest");
    const key = "k\r\n\r\nevent: evil\r\ndata: x";
    await server.channel("latest").publish("v", { key });
    await server.channel("latest").delete(key);
    expect((await heard.next()).type).toBe("message");
    expect(await heard.next()).toMatchObject({ type: "deleted", data: key.replaceAll("\r\n", "\n") });
    expect(heard.size).toBe(0);
  });
});

describe("an empty id", () => {
  it("is never sent: after every event the id is a position to resume from (hono#5138)", async () => {
    const heard = await listen("/channels/latest?since=now");
    await server.channel("latest").publish("", { key: "" });
    await server.channel("latest").publish("");
    await server.channel("latest").delete("");
    for (let offset = 1; offset <= 3; offset++)
      expect((await heard.next()).id).toMatch(new RegExp(`^[0-9a-z]{12}:${offset}$`));
  });

  it("that is sent back is none: the stream begins as its URL says (hono#5138)", async () => {
    await server.channel("a").publish("one");
    for (const path of ["/channels/a?since=earliest", "/events?channel=a&since=earliest"]) {
      const abort = new AbortController();
      const response = await fetch(`${url}${path}`, {
        headers: { accept: "text/event-stream", "last-event-id": "" },
        signal: abort.signal,
      });
      const first = await response.body?.getReader().read();
      abort.abort();
      expect(Buffer.from(first?.value ?? []).toString()).toContain('"replayed":1');
    }
  });
});
