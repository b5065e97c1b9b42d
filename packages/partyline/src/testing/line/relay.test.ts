import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { createVirtualClock, type VirtualClock } from "../virtual-clock.ts";
import { createFaults, type Faults } from "./faults.ts";
import { Relay } from "./relay.ts";
import { createStreamPair } from "./stream-pair.ts";

/** An end of a connection, and what has come out of it. */
interface End {
  readonly stream: Duplex;
  /** Each piece, then `end`, then `close`. */
  readonly heard: string[];
}

interface Rig {
  readonly client: End;
  readonly server: End;
  readonly faults: Faults;
  readonly clock: VirtualClock;
  readonly relays: Set<Relay>;
  /** Lets streams do what they do without time. */
  readonly settle: () => Promise<void>;
}

function listenTo(stream: Duplex): End {
  const heard: string[] = [];
  stream.on("data", (bytes: Buffer) => heard.push(bytes.toString()));
  stream.on("end", () => heard.push("end"));
  stream.on("close", () => heard.push("close"));
  stream.on("error", () => undefined);
  return { stream, heard };
}

function createRig(): Rig {
  const clock = createVirtualClock();
  const relays = new Set<Relay>();
  const { faults, conditions } = createFaults(relays);
  const [client, near] = createStreamPair();
  const [far, server] = createStreamPair();
  relays.add(new Relay({ near, far, conditions, clock, gone: (relay) => void relays.delete(relay) }));
  return {
    client: listenTo(client),
    server: listenTo(server),
    faults,
    clock,
    relays,
    async settle() {
      for (let turn = 0; turn < 10; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        clock.turn();
      }
    },
  };
}

describe("a line without faults", () => {
  it("carries bytes both ways, and the end of each way by itself", async () => {
    const { client, server, settle, relays } = createRig();
    client.stream.end("up");
    await settle();
    expect(server.heard).toEqual(["up", "end"]);
    server.stream.end("down");
    await settle();
    expect(client.heard).toEqual(["down", "end", "close"]);
    expect(server.heard).toEqual(["up", "end", "close"]);
    expect(relays.size).toBe(0);
  });

  it("tells one end when the other is destroyed, after what it had written", async () => {
    const { client, server, settle, relays } = createRig();
    client.stream.write("last words");
    await settle();
    client.stream.destroy();
    await settle();
    expect(server.heard).toEqual(["last words", "end"]);
    server.stream.end();
    await settle();
    expect(relays.size).toBe(0);
  });

  it("lets a sender wait whose peer reads nothing", async () => {
    const { client, server, settle } = createRig();
    server.stream.pause();
    const chunk = Buffer.alloc(64 * 1024);
    let written = 0;
    while (written < 100 && !client.stream.writableNeedDrain) {
      client.stream.write(chunk);
      written++;
      await settle();
    }
    expect(written).toBeLessThan(10);
    server.stream.resume();
    await settle();
    expect(client.stream.writableNeedDrain).toBe(false);
    expect(server.heard.join("")).toHaveLength(written * chunk.length);
  });
});

describe("a fault of a line", () => {
  it("cuts both ends", async () => {
    const { client, server, faults, settle, relays } = createRig();
    faults.cut();
    await settle();
    expect([client.heard, server.heard]).toEqual([["end"], ["end"]]);
    expect(relays.size).toBe(0);
  });

  it("closes one way alone", async () => {
    const { client, server, faults, settle } = createRig();
    faults.halfClose();
    server.stream.write("not heard");
    client.stream.write("heard");
    await settle();
    expect([client.heard, server.heard]).toEqual([["end"], ["heard"]]);
  });

  it("makes bytes vanish, and the connection stays silent when they no longer would", async () => {
    const { client, server, faults, settle, relays } = createRig();
    faults.blackhole();
    client.stream.write("lost");
    await settle();
    faults.mend();
    client.stream.write("behind a hole");
    client.stream.destroy();
    server.stream.write("to nobody");
    await settle();
    expect(server.heard).toEqual([]);
    expect(relays.size).toBe(1);
    faults.cut();
    await settle();
    expect(server.heard).toEqual(["end"]);
  });

  it("makes ends vanish", async () => {
    const { client, server, faults, settle } = createRig();
    faults.blackhole();
    client.stream.destroy();
    await settle();
    faults.mend();
    await settle();
    expect(server.heard).toEqual([]);
  });

  it("leaves a connection whole that had nothing to lose", async () => {
    const { client, server, faults, settle } = createRig();
    faults.blackhole();
    await settle();
    faults.mend();
    client.stream.write("here");
    await settle();
    expect(server.heard).toEqual(["here"]);
  });

  it("holds bytes and ends back, and lets them through in order", async () => {
    const { client, server, faults, settle } = createRig();
    faults.buffer();
    server.stream.write("a");
    server.stream.end("b");
    client.stream.write("up");
    await settle();
    expect([client.heard, server.heard]).toEqual([[], ["up"]]);
    faults.mend();
    await settle();
    expect(client.heard).toEqual(["a", "b", "end"]);
  });

  it("holds back no more than it has room for", async () => {
    const { server, faults, settle } = createRig();
    faults.buffer();
    const chunk = Buffer.alloc(64 * 1024);
    let written = 0;
    while (written < 100 && !server.stream.writableNeedDrain) {
      server.stream.write(chunk);
      written++;
      await settle();
    }
    expect(written).toBeLessThan(10);
  });

  it("delays bytes and keeps their order when it ends", async () => {
    const { client, server, faults, clock, settle } = createRig();
    faults.delay(100);
    client.stream.write("slow");
    await settle();
    clock.advance(99);
    faults.mend();
    client.stream.write("quick");
    await settle();
    expect(server.heard).toEqual([]);
    clock.advance(1);
    await settle();
    expect(server.heard.join(" ")).toBe("slow quick");
  });

  it("lets so many bytes through in a second", async () => {
    const { client, server, faults, clock, settle } = createRig();
    faults.throttle(1_000, "up");
    client.stream.write("x".repeat(600));
    await settle();
    clock.advance(500);
    await settle();
    expect(server.heard.join("")).toHaveLength(500);
    clock.advance(100);
    await settle();
    expect(server.heard.join("")).toHaveLength(600);
  });

  it("cuts bytes at every place", async () => {
    const { client, server, faults, settle } = createRig();
    faults.split();
    client.stream.write("abc");
    await settle();
    expect(server.heard).toEqual(["a", "b", "c"]);
  });

  it("takes `Upgrade` out of a request, and nothing else", async () => {
    const { client, server, faults, settle } = createRig();
    faults.stripUpgrade();
    const request =
      "GET / HTTP/1.1\r\nConnection: Upgrade\r\nHost: a\r\nUpgrade: websocket\r\n\r\nUpgrade: a";
    client.stream.write(request);
    await settle();
    client.stream.write("a\r\nUpgrade: websocket\r\n\r\n");
    await settle();
    expect(server.heard).toEqual([
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nUpgrade: a",
      "a\r\nUpgrade: websocket\r\n\r\n",
    ]);
  });

  it("is refused where it lets nothing through", () => {
    const { faults } = createRig();
    expect(() => faults.throttle(0)).toThrow(RangeError);
    expect(() => faults.split(0)).toThrow(RangeError);
  });
});
