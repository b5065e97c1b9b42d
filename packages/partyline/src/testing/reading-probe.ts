import { gapFields } from "../protocol/answer-frames.ts";
import type { PartylineError } from "../protocol/errors.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import { decodeText } from "../protocol/message.ts";
import { formatPosition } from "../protocol/position.ts";
import type { AttachAnswer, Outgoing, TalkingConnection } from "../core/ports.ts";

/** A connection whose network is a list: what core wrote, in order, one line each. */
export interface ReadingProbe extends TalkingConnection {
  /** `offset:text`, `gap …`, `skip …`, `mark …`, replies as their frames; what {@link takeLog} has not taken yet. */
  readonly log: string[];
  readonly replies: ServerFrame[];
  readonly outgoing: Outgoing[];
  closedBy: PartylineError | undefined;
  /** How many more writes the socket takes before it is full. */
  room: number;
  takeLog(): string[];
}

/** Makes a probe whose socket is never full, until `room` says otherwise. */
export function createReadingProbe(): ReadingProbe {
  const probe: ReadingProbe = {
    log: [],
    replies: [],
    outgoing: [],
    closedBy: undefined,
    room: Number.POSITIVE_INFINITY,
    write(outgoing) {
      probe.outgoing.push(outgoing);
      probe.log.push(...linesOf(outgoing));
      return --probe.room > 0;
    },
    reply(frame) {
      probe.replies.push(frame);
      return true;
    },
    cork() {},
    uncork() {},
    close(reason) {
      probe.closedBy ??= reason;
    },
    takeLog: () => probe.log.splice(0),
  };
  return probe;
}

/** An attach answer in one line. */
export function describeAnswer(answer: AttachAnswer): string {
  const at = formatPosition(answer.position);
  return answer.gap ? `gap ${answer.gap.reason} to ${at}` : `continuous ${answer.replayed} from ${at}`;
}

function linesOf({ item }: Outgoing): string[] {
  switch (item.is) {
    case "messages":
      return item.entries.map((entry) => `${entry.offset}:${decodeText(entry.data) ?? ""}`);
    case "gap": {
      const { from, to, reason } = gapFields(item.gap);
      return [`gap ${reason} ${from} ${to}`];
    }
    case "skip":
      return [`skip ${formatPosition(item.from)} ${formatPosition(item.to)}`];
    case "mark":
      return [`mark ${formatPosition(item.position)}`];
    case "stale":
      return ["stale"];
    case "detached":
      return [`detached ${item.code}`];
  }
}
