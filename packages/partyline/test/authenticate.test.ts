/** An application's `authenticate` and `allows` that fail: the peer is told, the log has the stack, nobody is let in. */
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { createTestNetwork } from "../src/testing/test-network.ts";
import { silent } from "./support/line-rig.ts";
import { HELLO } from "./support/peers.ts";
import { openSocket } from "./transport/websocket-probes.ts";

type Authenticate = NonNullable<PartylineOptions["authenticate"]>;

interface Logged {
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function start(authenticate: unknown): Promise<{ server: Partyline; url: string; logged: Logged[] }> {
  const logged: Logged[] = [];
  const error = (message: string, details: Logged["details"] = {}): void =>
    void logged.push({ message, details });
  const server = createPartyline({
    logger: { ...silent, error },
    channels: { "**": { keep: "latest" } },
    authenticate: authenticate as Authenticate,
  });
  ends.push(() => server.close());
  const { url } = await server.listen(0, "127.0.0.1");
  return { server, url, logged };
}

const ATTACH = '{"t":"attach","n":1,"channel":"a"}';
const PUBLISH = '{"t":"publish","n":1,"channel":"a","id":"x","at":0,"data":"x"}';
const STREAM = { accept: "text/event-stream" };

/** The code of what each transport is refused for, or `none`. */
const TRANSPORTS: Readonly<Record<string, (url: string) => Promise<string>>> = {
  history: (url) => codeOf(`${url}/channels/a`, {}),
  "a long poll": (url) => codeOf(`${url}/channels/a?wait=1`, {}),
  "a stream": (url) => codeOf(`${url}/channels/a`, { headers: STREAM }),
  "/events": (url) => codeOf(`${url}/events?channel=a`, { headers: STREAM }),
  "a publish": (url) => codeOf(`${url}/channels/a`, { method: "POST", body: "x" }),
  "a deletion": (url) => codeOf(`${url}/channels/a?key=k`, { method: "DELETE" }),
  "a POST of commands": (url) => codeOf(`${url}/connect`, { method: "POST", body: `${HELLO}\n${PUBLISH}` }),
  "a poll of /connect": (url) =>
    codeOf(`${url}/connect`, { method: "POST", body: `{"t":"hello","v":1,"wait":1}\n${ATTACH}` }),
  "a raw WebSocket": async (url) => {
    try {
      (await openSocket(`${url}/channels/a`)).terminate();
      return "none";
    } catch (error) {
      return String((error as { code: string }).code);
    }
  },
  "a WebSocket of /connect": async (url) => {
    const socket = await openSocket(`${url}/connect`);
    socket.send(`${HELLO}\n${ATTACH}`);
    let text = "";
    socket.on("message", (data: Buffer) => {
      text += `${data.toString()}\n`;
      if (text.includes('"n":1')) socket.terminate();
    });
    await once(socket, "close");
    return codeIn(text);
  },
};

async function codeOf(url: string, init: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const isStream = response.headers.get("content-type") === "text/event-stream";
  if (!isStream) return codeIn(await response.text());
  await response.body?.cancel();
  return "none";
}

function codeIn(text: string): string {
  return /"code":"([a-z-]+)"/.exec(text)?.[1] ?? "none";
}

const fail = (): never => {
  throw new Error("the database is gone");
};

describe.each(Object.entries(TRANSPORTS))("%s", (_name, codeFrom) => {
  it.each([
    ["throws", fail],
    ["rejects", async () => fail()],
  ])(
    "is refused as internal if authenticate %s, and the log has the stack once",
    async (_how, authenticate) => {
      const { url, logged } = await start(authenticate);
      for (let n = 0; n < 3; n++) expect(await codeFrom(url)).toBe("internal");
      expect(logged).toHaveLength(1);
      expect(logged[0]?.details).toMatchObject({
        error: "Error: the database is gone",
        stack: expect.stringMatching(/the database is gone\n +at fail /) as string,
      });
    },
  );

  it("is refused as internal if authenticate returns a table, and the log names the remedy", async () => {
    const { url, logged } = await start(() => ({ "**": ["subscribe", "publish"] }));
    expect(await codeFrom(url)).toBe("internal");
    expect(logged.map(({ details }) => details["error"])).toEqual([
      expect.stringContaining("return `{ grants: grants(table) }`"),
    ]);
  });

  it("is refused as unauthorized if authenticate returns undefined, and nothing is logged", async () => {
    const { url, logged } = await start(() => undefined);
    expect([await codeFrom(url), logged]).toEqual(["unauthorized", []]);
  });

  it.each([
    ["throws", fail, "the database is gone"],
    ["returns a promise", async () => true, "`allows` returned a promise"],
    ["rejects", () => Promise.reject(new Error("late")), "`allows` returned a promise"],
    ["returns no boolean", () => "yes", "`allows` returned string"],
  ])("is refused as internal if allows %s", async (_how, allows, text) => {
    const { url, logged } = await start(() => ({ grants: { allows } }));
    expect(await codeFrom(url)).toBe("internal");
    expect(logged.map(({ details }) => details["error"])).toEqual([expect.stringContaining(text)]);
  });
});

it("a token whose grants fail is refused, and the connection keeps its grants and its channels", async () => {
  let broken = false;
  const { server, url } = await start(async () => ({
    grants: { allows: () => (broken ? fail() : true) },
  }));
  const socket = await openSocket(`${url}/connect`);
  ends.push(() => socket.terminate());
  const lines: string[] = [];
  socket.on("message", (data: Buffer) => lines.push(...data.toString().split("\n")));
  const heard = async (text: string): Promise<string> => {
    for (;;) {
      const line = lines.find((one) => one.includes(text));
      if (line !== undefined) return line;
      await once(socket, "message");
    }
  };
  socket.send(`${HELLO}\n${ATTACH}`);
  await heard('"attached"');
  broken = true;
  socket.send('{"t":"token","n":2,"token":"new"}');
  expect(await heard('"n":2')).toContain('"internal"');
  broken = false;
  await server.channel("a").publish("still here");
  await heard("still here");
});

it("a client tries again with growing pauses while authenticate fails, and then connects", async () => {
  let asked = 0;
  let broken = true;
  await using net = await createTestNetwork({
    logger: silent,
    authenticate: () => {
      asked++;
      return broken ? fail() : { grants: { allows: () => true } };
    },
  });
  const client = await net.client();
  await net.advance(60_000);
  const first = asked;
  await net.advance(60_000);
  expect(client.state.status).not.toBe("live");
  expect(first).toBeGreaterThan(3);
  expect(asked - first).toBeLessThanOrEqual(first);
  broken = false;
  await net.settled();
  expect(client.state.status).toBe("live");
});
