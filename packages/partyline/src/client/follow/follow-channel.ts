import { PartylineError } from "../../protocol/partyline-error.ts";
import { formatPosition, type Position, readPosition } from "../../protocol/position.ts";
import type { Channel, ChannelOptions } from "../channel-types.ts";
import { createEmitter } from "../emitter.ts";
import { closedError } from "../errors.ts";
import type { ChannelGap } from "../message.ts";
import { type OptionDefaults, readOptions } from "../options.ts";
import { positionOf } from "../read-log.ts";
import type { Runtime } from "../runtime.ts";
import type { Follower, FollowOptions, FollowSettings, FollowState, Snapshot } from "./follow-types.ts";
import { createLoader } from "./loader.ts";
import { type Item, itemOf, placeOf, reaches, skipped } from "./sequence.ts";

/** The defaults of {@link FollowOptions}. */
const DEFAULTS: OptionDefaults<FollowOptions<unknown, unknown>> = {
  snapshot: undefined,
  reduce: undefined,
  initial: undefined,
  baseDelay: 500,
  maxDelay: 30_000,
  loadTimeout: 30_000,
  heldMessages: 1000,
};

/**
 * Keeps a state up to date by a channel; what of it is promised stands at `Channel.follow`.
 *
 *   loading ──a snapshot that joins what is held──▶ following
 *      ▲ └ an older one, a failure: again after a backoff   │
 *      └──────────── a gap, a hole, `reduce` throws ────────┘
 *
 * @param setOptions Says how the channel is read from now on.
 */
export function followChannel<T, S>(
  runtime: Pick<Runtime, "after" | "random" | "report">,
  channel: Channel<T>,
  setOptions: (options: ChannelOptions) => void,
  options: FollowOptions<T, S>,
): Follower<S> {
  const settings = readOptions<FollowOptions<T, S>, FollowSettings<T, S>>(options, DEFAULTS);
  const { initial, reduce, snapshot } = settings;
  if (typeof snapshot !== "function" || typeof reduce !== "function")
    throw new TypeError("Options snapshot and reduce: give a function for each.");
  const events = createEmitter<{ change: FollowState<S> }>(runtime.report);
  let phase: "loading" | "following" | "closed" = "loading";
  /** The newest state, and what it has: all messages up to `at`. */
  let newest: { readonly state: S; readonly at: Position } | undefined;
  let error: unknown;
  let asOf: number | undefined;
  /** Where a snapshot must reach, so that nothing is missing before what is held; `undefined` while nobody listens. */
  let need: Position | undefined;
  /** `need` when the load began. */
  let needed: Position | undefined;
  let held: Item<T>[] = [];
  let isPaused = false;
  let current: FollowState<S> = { status: "loading", state: undefined, position: undefined, error };

  /** Tells what has changed, if anything has. */
  const update = (): void => {
    const { status, error: refusal } = channel.state;
    const problem = error ?? (status === "refused" ? refusal : undefined);
    const isLive = phase === "following" && status === "attached" && reaches(newest?.at, read(channel.head));
    if (isLive) asOf = channel.asOf;
    const open = problem !== undefined ? "error" : isLive ? "live" : newest ? "stale" : "loading";
    const now: FollowState<S> = {
      status: phase === "closed" ? phase : open,
      state: newest?.state,
      position: newest && formatPosition(newest.at),
      error: problem,
    };
    const before = current;
    if ((["status", "state", "position", "error"] as const).every((key) => now[key] === before[key])) return;
    current = now;
    events.emit("change", now);
  };

  /** From here on what comes is held back, until there is a snapshot that reaches `from`. */
  const hold = (from: Position, items: Item<T>[] = []): void => {
    phase = "loading";
    need = from;
    held = items;
  };
  const reload = (from: Position, items?: Item<T>[]): void => {
    hold(from, items);
    loader.start();
  };
  const failed = (cause: unknown): void => {
    error = cause ?? new Error("The snapshot failed, and did not say why.");
    loader.again();
    update();
  };
  const answered = (answer: Partial<Snapshot<S>> | undefined): void => {
    const at = readPosition(String(answer?.position));
    if (!at) {
      failed(noPosition(answer?.position));
    } else if (need && !reaches(at, need)) {
      // A gap that came during the load: it could not know.
      if (need !== needed) loader.start();
      else failed(oldSnapshot(at, need));
      // A channel that stands still is not told of the new life of its log: what is held would never fit.
      if (isPaused) {
        hold(read(channel.position) ?? need);
        resume();
      }
    } else {
      newest = { state: answer?.state as S, at };
      error = undefined;
      phase = "following";
      loader.succeeded();
      if (need) catchUp();
      else listen(formatPosition(at));
      check();
    }
  };
  const catchUp = (): void => {
    const items = held;
    held = [];
    applyAll(items);
    if (phase === "following") resume();
  };
  /** Lets the channel go on. */
  const resume = (): void => {
    // Another reader's wish for gaps may hold it too.
    if (!isPaused && channel.state.status !== "held") return;
    isPaused = false;
    channel.resume();
  };
  const loader = createLoader<Partial<Snapshot<S>> | undefined>(runtime, {
    ...settings,
    ask(signal) {
      needed = need;
      return snapshot({ signal });
    },
    answered,
    failed,
  });

  const applyAll = (items: readonly Item<T>[]): void => {
    for (const [index, { from, to, message }] of items.entries()) {
      if (!newest) return;
      const place = placeOf({ from, to }, newest.at);
      if (place === "missing") {
        reload(from, items.slice(index));
        return;
      }
      if (place === "known") continue;
      try {
        newest = { at: to, state: message ? reduce(newest.state, message) : newest.state };
      } catch (cause) {
        hold(to, items.slice(index + 1));
        failed(cause);
        return;
      }
    }
  };
  const receive = (item: Item<T>): void => {
    if (phase === "following") applyAll([item]);
    else {
      held.push(item);
      // The log holds the rest: the channel keeps its place.
      if (held.length >= settings.heldMessages) {
        isPaused = true;
        channel.detach();
      }
    }
    update();
  };
  const gapTold = ({ to, reason }: ChannelGap): void => {
    const position = positionOf(to);
    if (phase === "loading") hold(position);
    else if (reason === "unknown-position" || !reaches(newest?.at, position)) reload(position);
    update();
  };
  /** Something may be missing that no gap tells: other readers may have attached the channel elsewhere. */
  const check = (): void => {
    const { status } = channel.state;
    const position = read(channel.position);
    if (status === "closed") close();
    if (phase === "following" && status === "attached" && position && !reaches(newest?.at, position))
      reload(position);
    update();
  };
  const listen = (since: string): void => {
    setOptions({ since });
    offs.push(
      channel.on("gap", gapTold),
      channel.on("skip", (skip) => receive(skipped(skip))),
      channel.on("mark", check),
      // The last one: it attaches the channel.
      channel.on("message", (message) => receive(itemOf(message))),
    );
  };
  const close = (): void => {
    if (phase === "closed") return;
    phase = "closed";
    loader.stop();
    for (const off of offs) off();
    if (isPaused) resume();
    update();
  };

  // What comes behind a gap is held back here.
  setOptions({ onGap: "continue" });
  const offs = [channel.on("state", check)];
  // As it may be by now, where this was loaded first.
  if (channel.state.status === "closed") close();
  else if (initial) answered(initial);
  else loader.start();
  return {
    get current() {
      return current;
    },
    get asOf() {
      return asOf;
    },
    on: events.on,
    async loaded() {
      while (!newest) {
        if (phase === "closed") throw closedError(`What follows "${channel.name}"`);
        await new Promise<void>((resolve) => {
          const off = events.on("change", () => {
            off();
            resolve();
          });
        });
      }
      return newest.state;
    },
    close,
    async [Symbol.asyncDispose]() {
      close();
    },
  };
}

function noPosition(value: unknown): PartylineError {
  return new PartylineError("bad-position", `The snapshot's position is none: ${JSON.stringify(value)}.`, {
    remedy: "Give what server.channel(…).snapshot(…) gave.",
  });
}

function oldSnapshot(at: Position, need: Position): PartylineError {
  const [has, wanted] = [formatPosition(at), formatPosition(need)];
  return new PartylineError("gap", `The snapshot is of ${has}, and the channel goes on behind ${wanted}.`, {
    remedy: "Read its position before its data, and let nobody keep the answer.",
  });
}

function read(position: string | undefined): Position | undefined {
  return position === undefined ? undefined : positionOf(position);
}
