import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ClientRig, createClientRig, WELCOME } from "../testing/client-rig.ts";
import type { Frame, ScriptedSocket } from "../testing/scripted-websocket.ts";

const EPOCH = "0mhlk2v9q7xa";
const MESSAGE = { t: "m", c: 3, time: 1, kind: "json" };

/** A server with one channel, as far as a client that only reads it can see. */
class Server {
  readonly #rig: ClientRig;
  #head = 0;
  /** Welcomed and not dead; whether they have attached the channel. */
  readonly #served = new Map<ScriptedSocket, boolean>();
  /** Neither welcomed nor dead. */
  readonly #pending = new Set<ScriptedSocket>();
  #known = 0;

  constructor(rig: ClientRig) {
    this.#rig = rig;
  }

  get head(): number {
    return this.#head;
  }

  /** Takes what clients have opened and said. */
  work(): void {
    for (const socket of this.#rig.sockets.slice(this.#known)) this.#pending.add(socket);
    this.#known = this.#rig.sockets.length;
    for (const socket of this.#pending) if (socket.closed) this.#pending.delete(socket);
    for (const socket of this.#served.keys()) {
      if (socket.closed) this.#served.delete(socket);
      else for (const frame of socket.take()) this.#answer(socket, frame);
    }
  }

  #answer(socket: ScriptedSocket, { t, n, since }: Frame): void {
    if (t === "ping") socket.say({ t: "pong", n });
    if (t !== "attach") return;
    const from = Number(String(since).split(":")[1] ?? 0);
    this.#served.set(socket, true);
    const [position, head] = [`${EPOCH}:${from}`, `${EPOCH}:${this.#head}`];
    socket.say({ t: "attached", n, channel: "a", c: 3, position, head, replayed: 0, keep: "history" });
    for (let offset = from + 1; offset <= this.#head; offset++) socket.say({ ...MESSAGE, offset, data: 0 });
  }

  welcome(): void {
    for (const socket of this.#pending) {
      this.#pending.delete(socket);
      socket.open();
      this.#served.set(socket, false);
      const first = socket.take();
      socket.say(WELCOME);
      for (const frame of first) if (!socket.closed) this.#answer(socket, frame);
      this.work();
    }
  }

  refuse(): void {
    for (const socket of this.#pending) socket.close(1006);
  }

  publish(): void {
    this.#head++;
    for (const [socket, attached] of this.#served)
      if (attached && !socket.closed) socket.say({ ...MESSAGE, offset: this.#head, data: 0 });
  }

  drain(): void {
    for (const socket of [...this.#served.keys()])
      if (!socket.closed) socket.say({ t: "drain", within: 25_000 });
  }

  cut(code: number): void {
    for (const socket of [...this.#served.keys()]) if (!socket.closed) socket.close(code);
  }

  /** Whoever is connected hears nothing any more, and is not heard. */
  blackhole(): void {
    this.#served.clear();
    this.#pending.clear();
  }
}

type Step = (server: Server, rig: ClientRig) => void;

const steps: Record<string, Step> = {
  welcome: (server) => server.welcome(),
  refuse: (server) => server.refuse(),
  publish: (server) => server.publish(),
  drain: (server) => server.drain(),
  lose: (server) => server.cut(1006),
  restart: (server) => server.cut(1012),
  blackhole: (server) => server.blackhole(),
  wake: (_, rig) => rig.page.wake(),
  leave: (_, rig) => rig.page.leave(),
  unplug: (_, rig) => rig.setOnline(false),
  plug: (_, rig) => rig.setOnline(true),
  turn: (_, rig) => rig.clock.advance(0),
  second: (_, rig) => rig.clock.advance(1_000),
  while: (_, rig) => rig.clock.advance(11_000),
  minute: (_, rig) => rig.clock.advance(60_000),
};

describe("a connection in any history of losses, sleeps, drains and networks", () => {
  it("has at most one link beside the present one, is live when it can be, misses nothing, and leaves nothing behind [DRAIN-11]", async () => {
    const names = fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(names, async (history) => {
        const rig = createClientRig();
        const server = new Server(rig);
        const got: number[] = [];
        rig.client.channel("a", { since: "earliest" }).on("message", ({ offset }) => got.push(offset));
        const open = () => rig.sockets.filter(({ closed }) => !closed).length;
        const settle = async () => {
          await rig.settle();
          server.work();
          await rig.settle();
          server.work();
        };
        await settle();
        for (const name of history) {
          const wasLive = rig.client.state.status === "live";
          steps[name]?.(server, rig);
          const keeps = wasLive && ["drain", "welcome", "publish", "refuse"].includes(name);
          expect(keeps ? rig.client.state.status : "live").toBe("live");
          await settle();
          expect(open()).toBeLessThanOrEqual(2);
        }

        rig.setOnline(true);
        rig.page.wake();
        for (let second = 0; second < 3; second++) {
          await settle();
          server.welcome();
          await settle();
          rig.clock.advance(1_000);
        }
        server.publish();
        await settle();
        expect(rig.client.state.status).toBe("live");
        expect(got).toEqual(Array.from({ length: server.head }, (_, n) => n + 1));
        expect(rig.reported).toEqual([]);

        await rig.client.close();
        expect([open(), rig.clock.timers, rig.listeners]).toEqual([0, 0, 0]);
      }),
      { numRuns: 300 },
    );
  });
});
