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
  /** Neighbours in the {@link IdleList}. */
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

  /** Is this life over, because nobody listens and nothing was kept for `idleAge`? */
  isOver(now: number): boolean {
    if (this.listeners !== undefined) return false;
    const { idleAge, keep, retention } = this.spec;
    if (now - this.activeAt <= idleAge) return false;
    if (!this.log.expires()) return false;
    const kept = this.head > 0 && keep !== "nothing" ? retention.age : 0;
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
