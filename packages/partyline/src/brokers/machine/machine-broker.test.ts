import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, utimes } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPartyline } from "../../server.ts";
import { brokerSuite } from "../../testing/broker-suite.ts";
import { channel, listen, message, page, put, texts } from "../../testing/broker/rig.ts";

import { createMemoryBroker } from "../memory/index.ts";
import { Writer } from "./bytes.ts";
import { writeSpec } from "./fields.ts";
import {
  type ConnectedBroker,
  connectBroker,
  shareBroker,
  type SharedBroker,
  type ShareOptions,
} from "./index.ts";
import { ASK, GREETING, TELL } from "./wire.ts";

brokerSuite(
  { describe, it },
  {
    name: "machine",
    async create() {
      let clock = Date.UTC(2026, 10, 26);
      const memory = createMemoryBroker({ now: () => clock });
      const shared = await shareBroker(memory);
      const broker = await connectBroker(shared.path);
      const peer = await connectBroker(shared.path);
      return {
        broker,
        peer,
        async advance(milliseconds) {
          clock += milliseconds;
          // Whatever is answered tells the time.
          await Promise.all([broker.heads([]), peer.heads([])]);
        },
        forget: (name) => memory.forget(name),
        end: () => shared.close(),
      };
    },
    // Each step goes through a socket: fewer than the memory broker itself has.
    forAll: (check) =>
      fc.assert(fc.asyncProperty(fc.array(fc.maxSafeNat(), { maxLength: 80 }), check), { numRuns: 30 }),
  },
);

const memory = createMemoryBroker();

async function share(options?: ShareOptions): Promise<SharedBroker> {
  const shared = await shareBroker(memory, options);
  onTestFinished(() => shared.close());
  return shared;
}

async function guest(path: string): Promise<ConnectedBroker> {
  const broker = await connectBroker(path);
  onTestFinished(() => broker.close());
  return broker;
}

/** A path where nobody listens, in a folder that goes with the test. */
async function freePath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "partyline-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, "broker");
}

/** Resolves when there is contact again. */
async function back(broker: ConnectedBroker): Promise<void> {
  const isBack = (): Promise<boolean> =>
    broker.heads([]).then(
      () => true,
      () => false,
    );
  while (!(await isBack())) await new Promise((resolve) => setImmediate(resolve));
}

/** Says this to a shared broker, and reads nothing but what the test asks for. */
async function speak(path: string, ...frames: readonly ((to: Writer) => void)[]): Promise<Socket> {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  const writer = new Writer();
  for (const write of frames) {
    write(writer);
    writer.end();
  }
  socket.pause().write(writer.take());
  return socket;
}

/** Listens and greets as a shared broker does, then does something else with who connects. Resolves with the path. */
async function pretend(then: (socket: Socket) => void): Promise<string> {
  const path = await freePath();
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      const writer = new Writer();
      writer.begin(TELL.greeting).text(GREETING).byte(0).end();
      socket.write(writer.take());
      then(socket);
    });
  });
  onTestFinished(() => void server.close());
  server.listen(path);
  await once(server, "listening");
  return path;
}

const greet = (to: Writer): void => void to.begin(ASK.greeting).text(GREETING);

describe("contact to a shared broker", () => {
  it("that is lost leaves publishes uncertain that were under way, and refuses later ones", async () => {
    const shared = await share();
    const broker = await guest(shared.path);
    const spec = channel("lost/append");
    const [underWay] = await Promise.allSettled([broker.append(spec, [message("a")]), shared.close()]);
    expect(underWay).toMatchObject({ status: "rejected", reason: { code: "overloaded" } });
    expect(await broker.append(spec, [message("b")])).toMatchObject({
      is: "refused",
      index: 0,
      error: { code: "overloaded", retryAfter: 1 },
    });
    await expect(broker.heads([])).rejects.toMatchObject({ code: "overloaded" });
    expect(broker.losses).toBe(1);
  });

  it("comes back by itself, and listeners are told the newest of what they missed", async () => {
    const path = await freePath();
    const spec = channel("lost/back");
    const first = await share({ path });
    const broker = await guest(path);
    const ear = await listen(broker, spec);
    await put(broker, spec, "a");
    await ear.until(1);
    await first.close();
    await put(memory, spec, "b", "c");
    await share({ path });
    await ear.until(2);
    await put(memory, spec, "d");
    await ear.until(3);
    expect(ear.heard.map(({ entry }) => entry.offset)).toEqual([1, 3, 4]);
    expect(texts((await page(broker, spec)).entries)).toEqual(["a", "b", "c", "d"]);
  });

  it("tells nothing twice where nothing was missed, nor what was left while it was lost", async () => {
    const path = await freePath();
    const [kept, left] = [channel("lost/kept"), channel("lost/left")];
    const first = await share({ path });
    const broker = await guest(path);
    const ears = [await listen(broker, kept), await listen(broker, left)] as const;
    await put(broker, kept, "a");
    await ears[0].until(1);
    await first.close();
    while (broker.losses === 0) await new Promise((resolve) => setImmediate(resolve));
    ears[1].subscription.close();
    await share({ path });
    await back(broker);
    await put(memory, left, "x");
    await put(memory, kept, "b");
    await ears[0].until(2);
    expect(texts(ears[0].heard.map(({ entry }) => entry))).toEqual(["a", "b"]);
    expect(ears[1].heard).toEqual([]);
  });

  it("costs the readers of a server no message", async () => {
    const path = await freePath();
    const first = await share({ path });
    await using server = createPartyline({ broker: await connectBroker(path), hosts: ["localhost"] });
    const reader = await server.fetch(
      new Request("http://localhost/channels/lost?since=earliest", {
        headers: { accept: "text/event-stream" },
      }),
    );
    const lines = reader.body?.pipeThrough(new TextDecoderStream()) ?? [];
    await server.channel("lost").publish("1");
    const told: string[] = [];
    let ended = first.close.bind(first);
    for await (const text of lines as AsyncIterable<string>) {
      told.push(...[...text.matchAll(/^data: (\d)$/gm)].map(([, digit = ""]) => digit));
      if (told.length === 4) break;
      if (told.length !== 1) continue;
      await ended();
      ended = async () => undefined;
      const spec = channel("lost");
      await put(memory, spec, "2", "3", "4");
      await share({ path });
    }
    expect(told).toEqual(["1", "2", "3", "4"]);
  });

  it("is broken where a process does not read what it is told; others go on", async () => {
    const shared = await share({ unreadBytes: 1024 * 1024 });
    const spec = channel("unread", { retention: { count: 10, bytes: 1e9, age: 1e9 } });
    const broker = await guest(shared.path);
    const ear = await listen(broker, spec);
    const stopped = await speak(shared.path, greet, (to) =>
      writeSpec(to.begin(ASK.subscribe).number(1), spec),
    );
    while (shared.guests < 2) await broker.heads([]);
    let sent = 0;
    for (const data = "x".repeat(50_000); shared.broken === 0; sent++) await put(broker, spec, data);
    await ear.until(sent);
    // What it has not read by then, the system holds.
    stopped.resume();
    await once(stopped, "close");
    expect([shared.guests, broker.losses]).toEqual([1, 0]);
  });

  it("stays where more is asked for at once than may wait: calls are taken as fast as answers are", async () => {
    const shared = await share({ unreadBytes: 2 * 1024 * 1024 });
    const broker = await guest(shared.path);
    const spec = channel("pages");
    await put(broker, spec, "x".repeat(50_000));
    const pages = await Promise.all(Array.from({ length: 300 }, () => page(broker, spec)));
    expect(new Set(pages.map(({ entries }) => entries[0]?.data.length))).toEqual(new Set([50_000]));
    expect([shared.broken, broker.losses]).toEqual([0, 0]);
  });

  it("takes only so much that the other side does not answer: what is beyond is refused", async () => {
    const path = await pretend((socket) => void socket.pause());
    const broker = await connectBroker(path);
    const spec = channel("silent");
    const asked = Promise.allSettled(Array.from({ length: 65_536 }, () => broker.heads([])));
    await expect(broker.heads([])).rejects.toMatchObject({ code: "overloaded" });
    expect(await broker.append(spec, [message("a")])).toMatchObject({
      is: "refused",
      error: { code: "overloaded" },
    });
    await broker.close();
    expect(new Set((await asked).map(({ status }) => status))).toEqual(new Set(["rejected"]));
  });

  it.for(["answer", "failure"] as const)(
    "is lost where an answer is not understood, and every call is told: %s",
    async (kind) => {
      const path = await pretend((socket) => {
        socket.once("data", () => {
          const writer = new Writer();
          writer.begin(TELL[kind]).number(1).byte(1).end();
          socket.write(writer.take());
        });
      });
      const broker = await guest(path);
      const asked = await Promise.allSettled([broker.heads(["a"]), broker.heads(["b"])]);
      for (const each of asked)
        expect(each).toMatchObject({ status: "rejected", reason: { code: "overloaded" } });
      expect(broker.losses).toBe(1);
    },
  );
});

describe("the place of a shared broker", () => {
  it("is for its user alone, and gone when it is closed", async () => {
    const shared = await shareBroker(memory);
    const { path } = shared;
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await shared.close();
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(connectBroker(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is taken from a process that was killed, and from no other", async () => {
    const path = await freePath();
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", script]);
    expect((await stat(path)).isSocket()).toBe(true);
    await share({ path });
    await expect(shareBroker(memory, { path })).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(await (await guest(path)).heads(["none"])).toEqual([undefined]);
  });

  it("is cleared away by the next start where its process was killed a minute ago, and nowhere else", async () => {
    const index = (folder: string): string =>
      JSON.stringify(new URL(`../${folder}/index.ts`, import.meta.url));
    const script = `
      import { shareBroker } from ${index("machine")};
      import { createMemoryBroker } from ${index("memory")};
      console.log((await shareBroker(createMemoryBroker())).path);
      process.kill(process.pid, "SIGKILL");`;
    const kill = (): string =>
      spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }).stdout.trim();
    const [dead, young, alive] = [kill(), kill(), (await share()).path];
    onTestFinished(() => rm(dirname(young), { recursive: true }));
    const old = new Date(Date.now() - 61_000);
    for (const path of [dead, alive]) await utimes(path, old, old);
    await share();
    await expect(stat(dirname(dead))).rejects.toMatchObject({ code: "ENOENT" });
    for (const path of [young, alive]) expect((await stat(path)).isSocket()).toBe(true);
  });

  it("refuses who speaks otherwise", async () => {
    const shared = await share();
    const others = [
      await speak(shared.path, (to) => void to.begin(ASK.greeting).text("partyline broker 0")),
      await speak(shared.path, (to) => void to.begin(ASK.read).number(1)),
      await speak(shared.path, greet, (to) => void to.begin(99).number(1)),
      await speak(shared.path, greet, (to) => void to.begin(ASK.append).number(1).text("cut off")),
    ];
    const lengthy = connect(shared.path);
    lengthy.write("GET / HTTP/1.1\r\n".repeat(100));
    for (const other of [...others, lengthy]) {
      other.on("error", () => undefined).resume();
      if (!other.closed) await once(other, "close");
    }
    expect(shared.broken).toBe(5);
  });

  it("is told from what is no shared broker", async () => {
    const path = await freePath();
    const server = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    onTestFinished(() => void server.close());
    server.listen(path);
    await once(server, "listening");
    await expect(connectBroker(path)).rejects.toThrow(/no shared broker of this version/);
  });
});
