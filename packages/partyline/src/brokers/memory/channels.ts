import type { ChannelSpec } from "../../core/ports.ts";
import { PartylineError } from "../../protocol/errors.ts";
import { Channel } from "./channel.ts";
import type { BlankEpochs } from "./blank-epochs.ts";
import { HOLDS, IdleLists } from "./idle-list.ts";
import { HistoryLog, NOTHING_KEPT } from "./log.ts";

/** Between two steps of the sweep, ms. */
const SWEEP_EVERY = 1000;
/** A step visits at least this many channels, and so many that all are visited in {@link SWEEP_STEPS}. */
const SWEEP_LEAST = 1000;
const SWEEP_STEPS = 60;

/** A channel that has to give messages up keeps at most this share of them, so that it is not asked at each publish. */
const SHORTENED = 15 / 16;

/** Messages that were given up, because all logs together took too much. */
export type Shortened = (channel: Channel, bytes: number) => void;

/** Bounds of {@link Channels}. */
export interface ChannelsBounds {
  readonly maxChannels: number;
  readonly maxBytes: number;
}

/** All channels of one memory broker: by name, made on demand, dropped when idle. */
export class Channels {
  readonly #byName: Map<string, Channel> = new Map<string, Channel>();
  readonly #idle: IdleLists = new IdleLists();
  readonly #bounds: ChannelsBounds;
  readonly #epochs: BlankEpochs;
  readonly #time: () => number;
  readonly #shortened: Shortened;
  /** What all logs and ids take. */
  #bytes = 0;
  #sweeper: ReturnType<typeof setInterval> | undefined = undefined;
  #walk: Iterator<Channel, undefined> | undefined = undefined;

  constructor(bounds: ChannelsBounds, epochs: BlankEpochs, time: () => number, shortened: Shortened) {
    this.#bounds = bounds;
    this.#epochs = epochs;
    this.#time = time;
    this.#shortened = shortened;
  }

  /** What all logs and ids take, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The channel of this name; `undefined` if there is none or its life is over. */
  find(name: string, now: number): Channel | undefined {
    const channel = this.#byName.get(name);
    if (channel === undefined || !channel.isOver(now)) return channel;
    this.#drop(channel, now);
    return undefined;
  }

  /** As {@link find}, for a call that brings the definition. */
  findBySpec(spec: ChannelSpec, now: number): Channel | undefined {
    const channel = this.find(spec.name, now);
    if (channel === undefined || channel.spec === spec) return channel;
    const changed = channel.spec.keep !== spec.keep;
    channel.spec = spec;
    // Another kind of log can't answer for what this one has promised.
    if (changed) this.#begin(channel, now);
    return channel;
  }

  /**
   * The channel of this definition, made if there is none.
   *
   * @returns the refusal if there are too many and none of them is idle.
   */
  open(spec: ChannelSpec, now: number): Channel | PartylineError {
    const found = this.findBySpec(spec, now);
    if (found !== undefined) return found;
    const { maxChannels } = this.#bounds;
    if (this.#byName.size >= maxChannels) {
      const idle = this.#idle.least;
      if (idle === undefined)
        return new PartylineError("overloaded", `All of the ${maxChannels} channels are in use.`);
      this.#drop(idle, now);
    }
    const channel = new Channel(spec, this.#epochs.of(spec.name, now), now);
    this.#byName.set(spec.name, channel);
    this.#idle.add(channel);
    this.#sweeper ??= unref(setInterval(() => this.#sweep(), SWEEP_EVERY));
    return channel;
  }

  /** Something was published. */
  touch(channel: Channel, now: number): void {
    channel.activeAt = now;
    this.count(channel);
    if (channel.listeners === undefined) this.#idle.touch(channel);
  }

  /** The channel's log or ids may have changed. */
  count(channel: Channel): void {
    const { bytes } = channel;
    this.#bytes += bytes - channel.counted;
    channel.counted = bytes;
  }

  /** Somebody began to listen to a channel that nobody listened to. */
  busy(channel: Channel): void {
    this.#idle.remove(channel);
  }

  /** The last listener has left. */
  idle(channel: Channel, now: number): void {
    channel.activeAt = now;
    if (channel.isOver(now)) this.#drop(channel, now);
    else this.#idle.add(channel);
  }

  /**
   * Makes room for what is published to this channel: by the histories of channels that nobody listens to, longest idle
   * first, then by its own oldest messages.
   *
   * @returns Whether there is room.
   */
  makeRoom(channel: Channel): boolean {
    const { maxBytes } = this.#bounds;
    if (channel.listeners === undefined) this.#idle.touch(channel);
    while (this.#bytes > maxBytes) {
      const idle = this.#idle.first(HOLDS.history);
      if (idle === undefined || idle === channel) break;
      this.#giveUp(idle, 0);
    }
    const excess = this.#bytes - maxBytes;
    if (excess > 0 && channel.log instanceof HistoryLog)
      this.#giveUp(channel, Math.min(channel.log.bytes - excess, channel.log.bytes * SHORTENED));
    return this.#bytes <= maxBytes;
  }

  /** Ends the present life of a channel. */
  forget(name: string, now: number): void {
    const channel = this.#byName.get(name);
    if (channel === undefined) return;
    if (channel.listeners === undefined) this.#drop(channel, now);
    else this.#begin(channel, now);
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#byName.clear();
  }

  #begin(channel: Channel, now: number): void {
    channel.begin(this.#epochs.renew(channel.spec.name, now), now);
    this.count(channel);
    this.#idle.sort(channel);
  }

  #giveUp(channel: Channel, bytes: number): void {
    const before = channel.bytes;
    if (bytes > 0 && channel.log instanceof HistoryLog) channel.log.shorten(bytes);
    else {
      channel.log.trim(NOTHING_KEPT, this.#time());
      channel.ids?.clear();
    }
    this.count(channel);
    this.#idle.sort(channel);
    const bytesGone = before - channel.bytes;
    if (bytesGone > 0) this.#shortened(channel, bytesGone);
  }

  #drop(channel: Channel, now: number): void {
    this.#idle.remove(channel);
    this.#byName.delete(channel.spec.name);
    this.#bytes -= channel.counted;
    if (channel.head > 0) this.#epochs.renew(channel.spec.name, now);
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
      channel.log.trim(channel.spec.retention, now);
      channel.ids?.trim(now);
      this.count(channel);
      if (channel.isOver(now)) this.#drop(channel, now);
      else this.#idle.sort(channel);
    }
  }
}

/** A sweep alone keeps no process alive. */
function unref(timer: ReturnType<typeof setInterval>): ReturnType<typeof setInterval> {
  timer.unref();
  return timer;
}
