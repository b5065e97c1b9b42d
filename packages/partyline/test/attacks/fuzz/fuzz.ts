/** Sends generated cases to a server, and looks for a case that breaks an invariant. */
import { type Account, startBystander } from "../../support/bystander/index.ts";
import {
  type AttackedServer,
  type Settings,
  startAttackedServer,
} from "../../support/attacked-server/index.ts";
import { Random } from "../../chaos/random.ts";
import { Attacker } from "../peer.ts";
import type { Case, Grammar, Kind } from "./case.ts";
import { frames } from "./frames.ts";
import { heads } from "./heads.ts";
import { http2 } from "./http2.ts";
import { lines } from "./lines.ts";
import { send } from "./send.ts";
import { shrink } from "./shrink.ts";

const MIB = 1024 * 1024;

const GRAMMARS: Readonly<Record<Kind, Grammar>> = { heads, frames, lines, http2 };

export const KINDS: readonly Kind[] = ["heads", "frames", "lines", "http2"];

/** Connections at once; a TLS handshake costs some milliseconds, so that few of them are a queue. */
const AT_ONCE: Readonly<Record<Kind, number>> = { heads: 24, frames: 24, lines: 24, http2: 6 };

/** The bystander gives its account after this many cases. */
const PORTION = 1_000;

/** The longest wait of the bystander, in milliseconds. */
const LONGEST_WAIT = 2_000;

/** Cases before the first measurement: code is compiled, and the logs become full. */
const WARM_UP = 0.3;

/** What may be held more at the end than after the warm-up, in bytes. */
const LEFT_BEHIND = 10 * MIB;

/** Cases of a failure that are printed. */
const MOST_SHOWN = 10;

/** Few messages, so that what is stored on purpose is soon constant. */
const RETENTION = { count: 20, bytes: 128 * 1024 };

/** How to fuzz. */
export interface Run {
  readonly kind: Kind;
  readonly seed: number;
  readonly cases: number;
  readonly settings?: Settings;
  readonly report?: (done: number) => void;
  /** How long a failure is made smaller, in milliseconds. `@default 60_000` */
  readonly shrinking?: number;
}

/** A broken invariant, with the smallest cases found that break it. */
export interface Failure {
  readonly what: string;
  readonly cases: readonly Case[];
}

/** The case with this number. */
export function caseOf(kind: Kind, seed: number, index: number): Case {
  return GRAMMARS[kind](new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)));
}

/** Resolves with the failure, or with `undefined` after all cases. */
export async function fuzz(run: Run): Promise<Failure | undefined> {
  await using session = await openSession(run, true);
  const { kind, seed, cases } = run;
  const sent: Case[] = [];
  const warm = Math.floor(cases * WARM_UP);
  let baseline: number | undefined;
  for (let index = 0; index < cases;) {
    const portion = Array.from({ length: Math.min(PORTION, cases - index) }, (_, n) =>
      caseOf(kind, seed, index + n),
    );
    index += portion.length;
    sent.push(...portion);
    const what = await session.play(portion);
    if (what !== undefined) return await shorten(run, what, [session.recent(), portion, sent]);
    run.report?.(index);
    if (baseline === undefined && index >= warm) baseline = await session.held();
  }
  const held = (await session.held()) - (baseline ?? 0);
  if (held < LEFT_BEHIND) return undefined;
  return { what: `${(held / MIB).toFixed(1)} MiB are held more than after the warm-up`, cases: [] };
}

interface Session extends AsyncDisposable {
  /** Sends these; resolves with the first broken invariant. */
  play(cases: readonly Case[]): Promise<string | undefined>;
  /** The cases that were begun last, the newest first: the end of a process is seen some cases later. */
  recent(): readonly Case[];
  held(): Promise<number>;
}

/** @param watched Whether a bystander looks on. */
async function openSession({ kind, settings }: Run, watched: boolean): Promise<Session> {
  const server = await startAttackedServer({
    host: kind === "http2" ? "tls" : "own",
    compression: true,
    retention: RETENTION,
    ...settings,
  });
  const { port, tls } = server;
  const bystander = watched ? await startBystander({ port, tls }) : undefined;
  const attacker = new Attacker({ port, tls });
  let ended: string | undefined;
  void server.ended.then((code) => (ended = `the process ended with ${code}`));
  const broken = (): boolean => ended !== undefined || attacker.internal.length > 0;
  const begun: Case[] = [];
  const next = async (queue: Case[]): Promise<void> => {
    for (let one = queue.shift(); one && !broken(); one = queue.shift()) {
      begun.push(one);
      await send(attacker, one);
    }
  };
  return {
    async play(cases) {
      const queue = [...cases];
      await Promise.all(Array.from({ length: AT_ONCE[kind] }, () => next(queue)));
      await attacker.leave();
      // Its answer comes after everything that was sent before, and not at all from a process that has ended.
      await server.measure().catch(() => undefined);
      return ended ?? fault(attacker, await bystander?.account());
    },
    recent: () => begun.slice(-3 * AT_ONCE[kind]).toReversed(),
    held: () => measured(server),
    async [Symbol.asyncDispose]() {
      await bystander?.[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function fault({ internal: [internal] }: Attacker, account: Account | undefined): string | undefined {
  if (internal !== undefined) return `an internal error was answered: ${internal}`;
  if (!account) return undefined;
  const { faults, longest } = account;
  if (faults.length > 0) return `the bystander was refused: ${faults.join("; ")}`;
  if (longest > LONGEST_WAIT) return `the bystander waited for ${longest.toFixed(0)} ms`;
  return undefined;
}

/** The least of some measurements: connections end a little later than their peers. */
async function measured(server: AttackedServer): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < 3; round++) least = Math.min(least, (await server.measure()).held);
  return least;
}

/**
 * Looks for the smallest cases that break the same invariant.
 *
 * @param suspects Cases that may break it: the first list that does is made smaller.
 */
async function shorten(run: Run, what: string, suspects: readonly (readonly Case[])[]): Promise<Failure> {
  const end = performance.now() + (run.shrinking ?? 60_000);
  const more = (): boolean => performance.now() < end;
  const watched = what.startsWith("the bystander");
  const sort = sortOf(what);
  // A server that nothing has happened to is used again.
  let session: Session | undefined;
  const shows = async (cases: readonly Case[]): Promise<boolean> => {
    if (cases.length === 0) return false;
    session ??= await openSession(run, watched);
    const again = await session.play(cases);
    if (again === undefined) return false;
    await session[Symbol.asyncDispose]();
    session = undefined;
    return sortOf(again) === sort;
  };
  const failure = await smallest(what, suspects, shows, more);
  await session?.[Symbol.asyncDispose]();
  return failure;
}

async function smallest(
  what: string,
  suspects: readonly (readonly Case[])[],
  shows: (cases: readonly Case[]) => Promise<boolean>,
  more: () => boolean,
): Promise<Failure> {
  const pieces = async (only: Case): Promise<Failure> => {
    const fewest = await shrink(only.pieces, (fewer) => shows([{ ...only, pieces: fewer }]), more);
    return { what, cases: [{ ...only, pieces: fewest }] };
  };
  const [recent = [], ...others] = suspects;
  // Nearly always it is one alone.
  for (const one of recent) if (await shows([one])) return pieces(one);
  for (const start of [recent, ...others]) {
    if (!(await shows(start))) continue;
    const cases = await shrink(start, shows, more);
    const [only] = cases;
    return cases.length === 1 && only ? pieces(only) : { what, cases };
  }
  return { what, cases: [] };
}

/** The sort of a failure: its text without figures and details. */
const sortOf = (what: string): string => what.replace(/:.*|\d+/gs, "");

/** The failure as text, with the command that plays it again. */
export function describeFailure({ kind, seed, cases: count }: Run, { what, cases }: Failure): string {
  const again = `${what}\nAgain: npm run fuzz -- --kind ${kind} --seed ${seed} --cases ${count}\n`;
  if (cases.length === 0) return `${again}It did not show again.`;
  if (cases.length > MOST_SHOWN) return `${again}No fewer than ${cases.length} connections show it.`;
  const shown = cases.map(({ upgrade, pieces }) => {
    const sent = pieces.map((piece) => JSON.stringify(piece.toString("latin1")));
    return `${upgrade ? `WebSocket ${upgrade.path} ${upgrade.extensions}\n` : ""}${sent.join("\n")}`;
  });
  return `${again}Smallest reproduction, ${cases.length} connections (bytes as latin1):\n${shown.join("\n---\n")}`;
}
