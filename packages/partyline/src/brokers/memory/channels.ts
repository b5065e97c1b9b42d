import type { ChannelSpec } from "../../core/ports.ts";
import { PartylineError } from "../../protocol/errors.ts";
import { Channel } from "./channel.ts";
import { IdleList } from "./idle-list.ts";

/** Between two steps of the sweep, ms. */
const SWEEP_EVERY = 1000;
/** A step visits at least this many channels, and so many that all are visited in {@link SWEEP_STEPS}. */
const SWEEP_LEAST = 1000;
const SWEEP_STEPS = 60;

/** All channels of one memory broker: by name, made on demand, dropped when idle. */
export class Channels {
  readonly #byName: Map<string, Channel> = new Map<string, Channel>();
  readonly #idle: IdleList = new IdleList();
  readonly #max: number;
  readonly #nextEpoch: (now: number) => string;
  readonly #time: () => number;
  #sweeper: ReturnType<typeof setInterval> | undefined = undefined;
  #walk: Iterator<Channel, undefined> | undefined = undefined;

  constructor(max: number, nextEpoch: (now: number) => string, time: () => number) {
    this.#max = max;
    this.#nextEpoch = nextEpoch;
    this.#time = time;
  }

  /** The channel of this name, unless there is none or its life is over. */
  find(name: string, now: number): Channel | undefined {
    const channel = this.#byName.get(name);
    if (channel === undefined || !channel.isOver(now)) return channel;
    this.#drop(channel);
    return undefined;
  }

  /** As {@link find}, for a call that brings the definition. */
  findBySpec(spec: ChannelSpec, now: number): Channel | undefined {
    const channel = this.find(spec.name, now);
    if (channel === undefined || channel.spec === spec) return channel;
    const changed = channel.spec.keep !== spec.keep;
    channel.spec = spec;
    // Another kind of log can't answer for what this one has promised.
    if (changed) channel.begin(this.#nextEpoch(now), now);
    return channel;
  }

  /**
   * The channel of this definition, made where there is none.
   *
   * @returns the refusal where there are too many and none of them is idle.
   */
  open(spec: ChannelSpec, now: number): Channel | PartylineError {
    const found = this.findBySpec(spec, now);
    if (found !== undefined) return found;
    if (this.#byName.size >= this.#max) {
      const idle = this.#idle.first;
      if (idle === undefined)
        return new PartylineError("overloaded", `All of the ${this.#max} channels are in use.`);
      this.#drop(idle);
    }
    const channel = new Channel(spec, this.#nextEpoch(now), now);
    this.#byName.set(spec.name, channel);
    this.#idle.add(channel);
    this.#sweeper ??= unref(setInterval(() => this.#sweep(), SWEEP_EVERY));
    return channel;
  }

  /** Something was published. */
  touch(channel: Channel, now: number): void {
    channel.activeAt = now;
    if (channel.listeners === undefined) this.#idle.touch(channel);
  }

  /** Somebody began to listen to a channel that nobody listened to. */
  busy(channel: Channel): void {
    this.#idle.remove(channel);
  }

  /** The last listener has left. */
  idle(channel: Channel, now: number): void {
    channel.activeAt = now;
    this.#idle.add(channel);
  }

  /** Ends the present life of a channel. */
  forget(name: string, now: number): void {
    const channel = this.#byName.get(name);
    if (channel === undefined) return;
    if (channel.listeners === undefined) this.#drop(channel);
    else channel.begin(this.#nextEpoch(now), now);
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#byName.clear();
  }

  #drop(channel: Channel): void {
    this.#idle.remove(channel);
    this.#byName.delete(channel.spec.name);
  }

  /**
   * One step of the walk that gives memory back. It decides nothing: whoever asks for a channel trims it first, so a
   * message that is too old is never read, swept or not.
   */
  #sweep(): void {
    const now = this.#time();
    const visits = Math.max(SWEEP_LEAST, Math.ceil(this.#byName.size / SWEEP_STEPS));
    this.#walk ??= this.#byName.values();
    for (let visit = 0; visit < visits; visit++) {
      const next = this.#walk.next();
      if (next.done === true) {
        this.#walk = undefined;
        return;
      }
      const channel = next.value;
      if (channel.isOver(now)) this.#drop(channel);
      else channel.log.trim(channel.spec.retention, now);
      channel.ids?.trim(now);
    }
  }
}

/** A sweep alone keeps no process alive. */
function unref(timer: ReturnType<typeof setInterval>): ReturnType<typeof setInterval> {
  timer.unref();
  return timer;
}
