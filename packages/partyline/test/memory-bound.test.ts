/**
 * Readers that are stopped, with SIGSTOP, while much more is published than their sockets hold: what the server holds
 * stays under the bound of docs/reliability.md, however much it was; the others get everything; and those that were
 * stopped catch up from the log, or are told what it no longer has.
 *
 * `SLOW_READERS=1000,50,20` runs it with 1 000 readers, of which 50 are stopped, and 20 MB in each of two rounds.
 */
import { describe, expect, it } from "vitest";
import { type Account, type CrowdProcess, startCrowd } from "./support/crowd/index.ts";
import { WAYS } from "./support/crowd/reader.ts";
import { type CrowdServer, startCrowdServer } from "./support/crowd-server/index.ts";

const [READERS = 28, STOPPED = 7, MEGABYTES = 9] = (process.env["SLOW_READERS"] ?? "")
  .split(",")
  .filter((text) => text !== "")
  .map(Number);

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZE = 16_000;
const MESSAGES = Math.ceil((MEGABYTES * 1_000_000) / SIZE);
/** Messages between two looks at whether all that read have them: less than a retention. */
const STEP = 64;

/** The bound of docs/reliability.md beyond an idle server with these connections, bytes. */
function bound(retention: number): number {
  const page = 64 * KIB + 4 * KIB;
  const caches = 4 * page * WAYS.length;
  const stopped = STOPPED * (64 * KIB + page);
  return retention + caches + stopped + 2 * MIB;
}

/** What V8 and malloc keep beyond what is held, on channels that are as busy as these, bytes. */
const GARBAGE = 128 * MIB;

interface Rig extends AsyncDisposable {
  readonly server: CrowdServer;
  readonly others: CrowdProcess;
  readonly stopped: CrowdProcess;
}

async function start(retention: number): Promise<Rig> {
  const server = await startCrowdServer({ retention: { bytes: retention, count: 1_000_000 } });
  const others = await startCrowd({ port: server.port, readers: READERS - STOPPED });
  const stopped = await startCrowd({ port: server.port, readers: STOPPED });
  return {
    server,
    others,
    stopped,
    async [Symbol.asyncDispose]() {
      for (const part of [stopped, others, server]) await part[Symbol.asyncDispose]();
    },
  };
}

/** Publishes these numbers, no faster than those that read take them. */
async function publish({ server, others }: Rig, first: number, count: number): Promise<readonly Account[]> {
  let accounts: readonly Account[] = [];
  for (let next = first; next < first + count; next += STEP) {
    const some = Math.min(STEP, first + count - next);
    await server.publish(next, some, SIZE);
    accounts = await others.reached(next + some - 1);
  }
  return accounts;
}

describe.each([
  { retention: 4 * MIB, outcome: "are told a gap, and go on" },
  { retention: 64 * MIB, outcome: "catch up from the log" },
])("with a retention of $retention bytes", ({ retention, outcome }) => {
  it(
    `stopped readers cost no more than the bound, the others miss nothing, and the stopped ${outcome} [ATT-5]`,
    { timeout: 600_000 },
    async () => {
      await using rig = await start(retention);
      const { server, stopped } = rig;
      const before = await server.measure();
      stopped.stop();

      await publish(rig, 1, MESSAGES);
      const once = await server.measure();
      const others = await publish(rig, MESSAGES + 1, MESSAGES);
      const twice = await server.measure();

      const published = 2 * MESSAGES;
      const log = Math.min(retention, published * (SIZE + 100));
      process.stdout.write(
        `${READERS} readers, ${STOPPED} stopped, ${(published * SIZE) / 1e6} MB: held ` +
          `${[before, once, twice].map(({ held }) => (held / MIB).toFixed(1)).join(" → ")} MiB ` +
          `(bound ${((before.held + bound(log)) / MIB).toFixed(1)}), RSS ` +
          `${[before, once, twice].map(({ rss }) => (rss / MIB).toFixed(0)).join(" → ")} MiB\n`,
      );
      expect(once.held - before.held).toBeLessThan(bound(log));
      expect(twice.held - before.held).toBeLessThan(bound(log));
      expect(twice.rss - before.rss).toBeLessThan(bound(log) + GARBAGE);
      expect(others.map(({ count, missed, faults }) => ({ count, missed, faults }))).toEqual(
        others.map(() => ({ count: published, missed: 0, faults: [] })),
      );

      stopped.goOn();
      const told = (await stopped.reached(published)).map(({ way, last, count, missed, faults, closed }) => {
        // A raw WebSocket has no place for a gap: it is closed with where to go on from.
        const gap = closed === undefined ? missed : published - last;
        return { way, given: count + gap, gap: gap > 0, faults };
      });
      const gap = retention < published * SIZE;
      expect(told).toEqual(told.map(({ way }) => ({ way, given: published, gap, faults: [] })));
    },
  );
});
