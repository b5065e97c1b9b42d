/** Connections that come and go leave nothing behind in the server: neither a small object each, nor a timer. */
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WAYS } from "./support/crowd/reader.ts";
import { type CrowdServer, type Memory, startCrowdServer } from "./support/crowd-server/index.ts";

/** Of each kind, in one of two rounds at the least; with the first ones that makes 10 000 in all. */
const CONNECTIONS = Number(process.env["CONNECTIONS"] ?? 500);
const WARM_UP = 3_000;
const MOST_ROUNDS = 8;
const AT_ONCE = 50;
/**
 * Bytes: the smallest object of a connection's own takes 24, and the place where it is held 8. An older V8 keeps more of
 * what it has compiled.
 */
const FLAT = CONNECTIONS * (Number(process.versions.node.split(".")[0]) >= 26 ? 24 : 160);

/** What is sent on a connection, and what comes when it is attached. */
interface Visit {
  readonly name: string;
  readonly opening: readonly (string | Buffer)[];
  readonly attached: string;
}

const VISITS: readonly Visit[] = WAYS.map((way) => {
  if (way.is === "stream") return way;
  // There is a message, so they are answered.
  const { path, body } = way.request("earliest");
  const head = `HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body?.length ?? 0}\r\n\r\n`;
  const opening = [`${body === undefined ? "GET" : "POST"} ${path} ${head}${body ?? ""}`];
  return { name: way.name, opening, attached: "#1#" };
});

/** Comes, is attached, and goes: three in four by breaking off, one before it has heard anything. */
function pay({ opening, attached }: Visit, port: number, patience: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, "127.0.0.1");
    socket.on("close", () => resolve());
    socket.on("error", (error: Error & { code?: string }) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.write(opening[0] ?? "", () => {
      if (patience === 0) socket.destroy();
    });
    for (const piece of opening.slice(1)) socket.write(piece);
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!text.includes(attached)) return;
      if (patience === 1) socket.resetAndDestroy();
      else if (patience === 2) socket.destroy();
      else socket.end();
    });
  });
}

async function churn(visits: readonly Visit[], port: number, count: number): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++)
      await pay(visits[n % visits.length] as Visit, port, Math.floor(n / visits.length) % 4);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** Connections that are open, channels that are followed, and timers. */
function leftOver({ counters, subscriptions, timers }: Memory): number[] {
  const sum = (labels: Readonly<Record<string, number>> = {}): number =>
    Object.values(labels).reduce((total, count) => total + count, 0);
  return [sum(counters.connections) - sum(counters.closed), subscriptions, timers];
}

describe("connections that have come and gone", () => {
  let server: CrowdServer;

  beforeAll(async () => {
    server = await startCrowdServer({ limits: { helloTimeout: 1_000 } });
    await server.publish(1, 1, 10);
    await churn(VISITS, server.port, WARM_UP);
  }, 120_000);

  afterAll(() => server[Symbol.asyncDispose]());

  /** What is left when all are gone and the last deadline is over, or has been waited for long enough. */
  async function settle(isFlat: (memory: Memory) => boolean = () => true): Promise<Memory> {
    let memory = await server.measure();
    const look = async (): Promise<void> => {
      memory = await server.measure();
      if (leftOver(memory).some((count) => count > 0) || !isFlat(memory)) throw new Error("Not yet.");
    };
    await vi.waitFor(look, { timeout: 2_500, interval: 100 }).catch(() => undefined);
    expect(leftOver(memory)).toEqual([0, 0, 0]);
    return memory;
  }

  it.each(VISITS)(
    `leave the heap flat, no timer and no subscription: ${CONNECTIONS} a round over $name`,
    { timeout: 600_000 },
    async (visit) => {
      // What is compiled late, or collected late, moves the heap up and down; a leak moves it up each time.
      const { heap: first } = await settle();
      let growth = Infinity;
      for (let round = 1; round <= MOST_ROUNDS && (round <= 2 || growth >= FLAT); round++) {
        await churn([visit], server.port, CONNECTIONS);
        const { heap } = await settle((memory) => memory.heap - first < round * FLAT);
        growth = (heap - first) / round;
      }
      expect(growth).toBeLessThan(FLAT);
    },
  );
});
