import { PartylineError } from "../../protocol/partyline-error.ts";
import { formatPosition, type Position, readPosition } from "../../protocol/position.ts";
import type { Client } from "../client-types.ts";
import { createEmitter } from "../emitter.ts";
import { closedError } from "../errors.ts";
import type { ChannelGap } from "../message.ts";
import { positionOf } from "../read-log.ts";
import { globalRuntime, type Runtime } from "../runtime.ts";
import type { Definitions, MessageOf, TypedClient } from "../typed-client.ts";
import type { Follower, FollowOptions, FollowState, Snapshot } from "./follow-types.ts";
import { createLoader } from "./loader.ts";
import { type Item, itemOf, placeOf, reaches, skipped } from "./sequence.ts";

/** The defaults of {@link FollowOptions}. */
const DEFAULTS = { baseDelay: 500, maxDelay: 30_000, loadTimeout: 30_000, heldMessages: 1000 };

/**
 * Loads a state and keeps it up to date by the messages of a channel, without a window between the two: the channel is
 * read from the snapshot's position on. After a gap, what comes is held back, the state is loaded again, and goes on from
 * there; so whatever was missed, it ends in a correct state.
 *
 * What the server must guarantee: a message's effect is in the data *before* the message is published, and the position is
 * read *before* the data, as `server.channel(name).snapshot(load)` does. Then nothing is missing from a snapshot, but it
 * may have more than its position says; see {@link FollowOptions.reduce}.
 *
 * It decides about the channel's gaps: other readers of the channel are told of them and not stopped.
 *
 * @example
 * ```ts
 * // on the server
 * app.get("/api/board/:id", async (request, response) => {
 *   const { id } = request.params;
 *   response.json(await server.channel(`board/${id}`).snapshot(() => database.cards(id)));
 * });
 *
 * // in the page
 * const board = follow<Card, Cards>(client, "board/7", {
 *   snapshot: async ({ signal }) => (await fetch("/api/board/7", { signal })).json(),
 *   reduce: (cards, { data }) => ({ ...cards, [data.id]: data }),
 * });
 * board.on("change", ({ state, status }) => render(state, status));
 * ```
 */
export function follow<D extends Definitions, Name extends string, S>(
  client: TypedClient<D>,
  channel: Name,
  // A client without definitions matches too, as one that knows every name and no message.
  options: FollowOptions<string extends keyof D ? unknown : MessageOf<D, Name>, S>,
): Follower<S>;
export function follow<T, S>(client: Client, channel: string, options: FollowOptions<T, S>): Follower<S>;
export function follow<S>(
  client: Client | Pick<Client, "state">,
  channel: string,
  options: FollowOptions<never, S>,
): Follower<S> {
  return followIn(globalRuntime, client as Client, channel, options);
}

/**
 * As {@link follow}, in a world of the caller's.
 *
 *   loading ──a snapshot that joins what is held──▶ following
 *      ▲ └ an older one, a failure: again after a backoff   │
 *      └──────────── a gap, a hole, `reduce` throws ────────┘
 */
export function followIn<T, S>(
  runtime: Pick<Runtime, "after" | "random" | "report">,
  client: Client,
  name: string,
  options: FollowOptions<T, S>,
): Follower<S> {
  const { initial, reduce, snapshot, ...settings } = { ...DEFAULTS, ...options };
  // What comes behind a gap is held back here.
  const channel = client.channel<T>(name, { onGap: "continue" });
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
    client.channel(name, { since });
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

  const offs = [channel.on("state", check)];
  if (initial) answered(initial);
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
        if (phase === "closed") throw closedError(`What follows "${name}"`);
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
