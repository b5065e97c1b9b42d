import { startBystander } from "../../support/bystander/index.ts";
import { startAttackedServer } from "../../support/attacked-server/index.ts";
import { type Attack, atOnce } from "../attack.ts";
import { Attacker } from "../peer.ts";

const MIB = 1024 * 1024;

/** What an attack costs. Times in milliseconds. */
export interface Cost {
  /** The longest wait of a bystander in the same time without the attack. */
  readonly before: number;
  /** The longest wait of a bystander during the attack. */
  readonly during: number;
  /** Wait that 99 of 100 requests of the bystander did not exceed during the attack. */
  readonly p99: number;
  /** The most CPU time that the server spent before it looked at other events. */
  readonly stretch: number;
  /** CPU time of the server in percent of the duration. */
  readonly cpu: number;
  /** Rise of the server's resident memory, in MiB. */
  readonly rise: number;
  /** What the bystander was refused. */
  readonly refused: readonly string[];
}

/** How long and how often to attack. */
export interface Plan {
  /** Duration of the attack in milliseconds; the run without it takes as long. */
  readonly duration: number;
  /** How many connections do the same at once. */
  readonly connections: number;
}

/** Runs an attack once, on a server of its own that counts the addresses of loopback like all others. */
export async function measure(
  { settings = {}, run }: Attack,
  { duration, connections }: Plan,
): Promise<Cost> {
  await using server = await startAttackedServer({ ...settings, countLoopback: true });
  const { port, tls } = server;
  await using bystander = await startBystander({ port, tls });
  const attacker = new Attacker({ port, tls, from: "127.0.0.2" });
  await bystander.account();
  await new Promise((resolve) => setTimeout(resolve, duration));
  const alone = await bystander.account();
  const first = await server.measure();
  await bystander.account();

  const end = performance.now() + duration;
  const goOn = (): boolean => performance.now() < end;
  await atOnce(connections, () => run(attacker, goOn));
  const attacked = await bystander.account();
  const last = await server.measure();
  await attacker.leave();
  return {
    before: alone.longest,
    during: attacked.longest,
    p99: attacked.p99,
    stretch: last.stretch,
    cpu: (100 * (last.cpu - first.cpu)) / duration,
    rise: (last.peak - first.rss) / MIB,
    refused: attacked.faults,
  };
}

/** The median of each figure. */
export function median(costs: readonly Cost[]): Cost {
  const of = (figure: (cost: Cost) => number): number =>
    costs.map(figure).sort((one, other) => one - other)[Math.floor(costs.length / 2)] ?? NaN;
  return {
    before: of((cost) => cost.before),
    during: of((cost) => cost.during),
    p99: of((cost) => cost.p99),
    stretch: of((cost) => cost.stretch),
    cpu: of((cost) => cost.cpu),
    rise: of((cost) => cost.rise),
    refused: [...new Set(costs.flatMap(({ refused }) => refused))],
  };
}
