import type { AppendListener, ChannelSpec } from "../../core/ports.ts";
import type { IdWindow } from "./ids.ts";
import { LatestLog } from "./latest.ts";
import { HistoryLog, type Log, NO_LOG } from "./log.ts";

/** One channel of the memory broker: the present life of its log, and who listens. */
export class Channel {
  /** As told with the newest call. */
  spec: ChannelSpec;
  epoch: string;
  /** Offset of the newest message of this life. */
  head = 0;
  log: Log;
  /** Made by the first publish with an id. */
  ids: IdWindow | undefined = undefined;
  /** Replaced as a whole, never changed, so that a listener may come or go while others are called. */
  listeners: readonly AppendListener[] | undefined = undefined;
  /** When it was made, last published to or last left. */
  activeAt: number;
  /** What the log and the ids took when they were counted last, bytes. */
  counted = 0;
  /** Which of the {@link IdleLists} it is in, and its neighbours there. */
  idleIn: 0 | 1 | 2 | undefined = undefined;
  before: Channel | undefined = undefined;
  after: Channel | undefined = undefined;

  constructor(spec: ChannelSpec, epoch: string, now: number) {
    this.spec = spec;
    this.epoch = epoch;
    this.log = createLog(spec);
    this.activeAt = now;
  }

  /** Ends this life: what was is forgotten, and the next message is the first of a later epoch. */
  begin(epoch: string, now: number): void {
    this.epoch = epoch;
    this.head = 0;
    this.log = createLog(this.spec);
    this.ids = undefined;
    this.activeAt = now;
  }

  /** What the log and the ids take, bytes. */
  get bytes(): number {
    return this.log.bytes + (this.ids?.bytes ?? 0);
  }

  /** Whether this life is over: nobody listens, and nothing was kept for `idleAge` or nothing was ever published. */
  isOver(now: number): boolean {
    if (this.listeners !== undefined) return false;
    // Nothing is lost with it: the next one of its name begins in the same epoch.
    if (this.head === 0) return true;
    const { idleAge, keep, retention } = this.spec;
    if (now - this.activeAt <= idleAge) return false;
    if (!this.log.expires()) return false;
    const kept = keep === "nothing" ? 0 : retention.age;
    return now - this.activeAt > idleAge + kept;
  }
}

function createLog(spec: ChannelSpec): Log {
  switch (spec.keep) {
    case "history":
      return new HistoryLog();
    case "latest":
      return new LatestLog(spec.maxKeys);
    case "nothing":
      return NO_LOG;
  }
}
