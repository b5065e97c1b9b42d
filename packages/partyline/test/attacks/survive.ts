/** The invariants under attack: what holds for the process, its memory, its answers, and everybody else. */
import { expect, vi } from "vitest";
import { startBystander } from "../support/bystander/index.ts";
import {
  type AttackedServer,
  type Settings,
  startAttackedServer,
  type Usage,
} from "../support/attacked-server/index.ts";
import { Attacker } from "./peer.ts";

const MIB = 1024 * 1024;

/** The longest that a bystander waits for an answer, in milliseconds. */
const LONGEST_WAIT = 2_000;

/** What an attack may leave behind after it has ended, in MiB: code that was compiled late, and caches. */
const LEFT_BEHIND = 8;

/** Bounds of one attack. */
export interface Bounds {
  /** How far resident memory may rise beside what is stored, in MiB. `@default 160` */
  readonly peak?: number;
  /** How many more bytes may be kept afterwards, because they were stored on purpose. `@default 0` */
  readonly stored?: number;
  /** How long memory may take to return to its baseline, in milliseconds. `@default 10_000` */
  readonly returns?: number;
  /** How many connections may last longer than their peers. `@default 0` */
  readonly lingering?: number;
}

/** Runs an attack on a server of its own, and expects that everybody else notices nothing. */
export async function survive(
  settings: Settings,
  attack: (attacker: Attacker, server: AttackedServer) => Promise<void>,
  { peak = 160, stored = 0, returns = 10_000, lingering = 0 }: Bounds = {},
): Promise<void> {
  await using server = await startAttackedServer(settings);
  const { port, tls } = server;
  await using bystander = await startBystander({ port, tls });
  const attacker = new Attacker({ port, tls });
  const before = await server.measure();
  await bystander.account();

  await attack(attacker, server);
  const during = await bystander.account();
  await attacker.leave();
  const peaked = await server.measure();
  const after = await settled(server, before, { stored, returns, lingering });
  const afterwards = await bystander.account();

  const waited = Math.max(during.longest, afterwards.longest);
  const rise = Math.round((peaked.peak - before.rss - stored) / MIB);
  const left = (after.held - before.held - stored) / MIB;
  expect({
    internal: attacker.internal,
    refused: [...during.faults, ...afterwards.faults],
    waited: waited < LONGEST_WAIT ? "at most 2 s" : `${waited} ms`,
    rise: rise < peak ? "within the bound" : `${rise} MiB of ${peak}`,
    left: left < LEFT_BEHIND ? "within the bound" : `${left.toFixed(1)} MiB more than ${stored / MIB}`,
    connections: Math.max(1, after.connections - lingering),
  }).toEqual({
    internal: [],
    refused: [],
    waited: "at most 2 s",
    rise: "within the bound",
    left: "within the bound",
    // The bystander's own.
    connections: 1,
  });
}

/** Measures until memory is back at its baseline, or has had its time. */
async function settled(
  server: AttackedServer,
  before: Usage,
  { stored, returns, lingering }: Required<Omit<Bounds, "peak">>,
): Promise<Usage> {
  let usage = await server.measure();
  const look = async (): Promise<void> => {
    usage = await server.measure();
    if (usage.connections > 1 + lingering || usage.held - before.held - stored >= LEFT_BEHIND * MIB)
      throw new Error("Not yet.");
  };
  await vi.waitFor(look, { timeout: returns, interval: 200 }).catch(() => undefined);
  return usage;
}
