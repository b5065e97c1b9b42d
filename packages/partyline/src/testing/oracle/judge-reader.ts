import { formatPosition, type Position } from "../../protocol/position.ts";
import type { ChannelRecord, ReaderRecord, SeenMessage, Told, Violation, ViolationKind } from "./evidence.ts";
import { placeOf, span } from "./place.ts";

type GapTold = Extract<Told, { is: "gap" }>;
type SkipTold = Extract<Told, { is: "skip" }>;

/**
 * Follows what one reader was told, from its beginning to the end: each offset must be a message, or in a gap or a
 * skip, and none twice.
 */
export function judgeReader(record: ReaderRecord, channel: ChannelRecord): Violation[] {
  const walk = new Walk(record, channel);
  for (const told of record.told) walk.take(told);
  if (record.present) walk.end();
  return walk.violations;
}

class Walk {
  readonly violations: Violation[] = [];
  readonly #record: ReaderRecord;
  readonly #channel: ChannelRecord;
  /** Where the reader stands; `undefined` before the first thing that it was told. */
  #at: Position | undefined;
  /** Positions received since the reader last went back. A position that comes again is a double, any other is out of order. */
  readonly #given = new Set<string>();
  /** Of a `latest` channel: the values that the reader has, by key. */
  readonly #values = new Map<string, string>();
  /** From here on the reader has been given all values; those set before it came it may not know. */
  #knowsFrom: Position | undefined;

  constructor(record: ReaderRecord, channel: ChannelRecord) {
    this.#record = record;
    this.#channel = channel;
  }

  take(told: Told): void {
    switch (told.is) {
      case "began":
        this.#at = this.#knowsFrom = placeOf(told.position);
        return;
      case "message":
        return this.#message(told);
      case "gap":
        return this.#gap(told);
      case "skip":
        return this.#skip(told);
    }
  }

  #message(message: SeenMessage): void {
    const place = placeOf(message.position);
    const { epoch, offset } = place;
    const at = (this.#at ??= { epoch, offset: offset - 1 });
    this.#knowsFrom ??= at;
    if (epoch !== at.epoch)
      this.#found("lost", `came from ${formatPosition(at)} to ${message.position} without a gap`);
    else if (offset <= at.offset) {
      const again = this.#given.has(message.position);
      if (again) this.#found("doubled", `was given ${message.position} again`);
      else this.#found("reordered", `was given ${message.position} after ${formatPosition(at)}`);
      return;
    } else if (offset > at.offset + 1)
      this.#found("lost", `was not given ${span(epoch, at.offset + 1, offset - 1)}, and not told`);
    this.#at = place;
    this.#given.add(message.position);
    if (message.kind === "deleted") this.#values.delete(message.key ?? "");
    else this.#values.set(message.key ?? "", message.data);
  }

  #gap(gap: GapTold): void {
    const from = placeOf(gap.from);
    const to = placeOf(gap.to);
    const text = `gap ${gap.reason} from ${gap.from} to ${gap.to}`;
    const wrong = (why: string): void => this.#found("false-gap", `${text}: ${why}`);
    this.#leave(from, text, "false-gap");

    const newLife = from.epoch !== to.epoch;
    if (newLife !== (gap.reason === "epoch")) wrong("its reason does not fit its epochs");
    else if (newLife && to.epoch < from.epoch) wrong("it goes back to an earlier life");
    const back = !newLife && to.offset <= from.offset;
    // The whole state of a `latest` channel follows its gap, and it may begin before the reader's position (READ-4).
    if (back && this.#channel.keep !== "latest") wrong("nothing lies between");
    if (gap.reason === "not-kept" && this.#channel.keep !== "nothing")
      wrong("the channel keeps its messages");
    if (
      gap.lost !== undefined &&
      gap.lost !== (to.offset < from.offset ? undefined : to.offset - from.offset)
    )
      wrong(`it tells ${gap.lost} as lost`);
    const dropped = this.#droppedUpTo(to.epoch);
    const begins = newLife ? 0 : from.offset;
    if (to.offset > Math.max(begins, dropped)) wrong("it covers messages that are kept");

    this.#at = to;
    if (back) this.#given.clear();
    this.#values.clear();
    if (this.#channel.keep === "latest") this.#knowsFrom = { epoch: to.epoch, offset: 0 };
  }

  /** Offset of the newest message of this life that may have been dropped by now. */
  #droppedUpTo(epoch: string): number {
    const { keep, count, head } = this.#channel;
    if (keep !== "history" || count === undefined || head === undefined) return Infinity;
    const end = placeOf(head);
    // What a past life kept, nobody can say any more.
    return end.epoch === epoch ? Math.max(0, end.offset - count) : Infinity;
  }

  #skip(skip: SkipTold): void {
    const from = placeOf(skip.from);
    const to = placeOf(skip.to);
    const text = `skip from ${skip.from} to ${skip.to}`;
    if (this.#channel.keep === "history" && this.#record.maxRate === undefined)
      this.#found("false-skip", `${text}: the channel leaves nothing out`);
    this.#leave(from, text, "false-skip");
    if (from.epoch !== to.epoch || to.offset <= from.offset)
      this.#found("false-skip", `${text}: nothing lies between`);
    this.#at = to;
  }

  /** A gap or a skip must begin where its reader stands: what it leaves out is lost, what it repeats was given. */
  #leave(from: Position, text: string, kind: ViolationKind): void {
    const at = this.#at;
    this.#knowsFrom ??= from;
    if (!at) return;
    if (from.epoch !== at.epoch) this.#found(kind, `${text}: its reader stood at ${formatPosition(at)}`);
    else if (from.offset > at.offset)
      this.#found("lost", `${text} leaves out ${span(at.epoch, at.offset + 1, from.offset)}`);
    else if (from.offset < at.offset)
      this.#found(kind, `${text} covers what was given up to ${formatPosition(at)}`);
  }

  /** All has come to rest: the reader must stand at the head, and know what the channel knows. */
  end(): void {
    const { head, kept = [] } = this.#channel;
    if (head === undefined) return;
    const last = this.#record.told.at(-1);
    if (last?.is === "skip" && this.#channel.keep !== "latest" && last.to === kept.at(-1)?.position)
      this.#found("lost", `was not given the newest, ${last.to}, which nothing has replaced`);
    if (this.#at && formatPosition(this.#at) !== head)
      this.#found("behind", `stands at ${formatPosition(this.#at)}, and the channel at ${head}`);
    else if (this.#channel.keep === "latest") this.#compareState();
  }

  #compareState(): void {
    const { kept } = this.#channel;
    const known = this.#knowsFrom;
    if (!kept || !known) return;
    const values = new Map(
      kept.filter(({ kind }) => kind !== "deleted").map((message) => [message.key ?? "", message]),
    );
    for (const [key, { position, data }] of values) {
      const { epoch, offset } = placeOf(position);
      const mayNotKnow = epoch === known.epoch && offset <= known.offset;
      if (!mayNotKnow && this.#values.get(key) !== data)
        this.#found("false-state", `has not the value of "${key}" at ${position}`);
    }
    for (const key of this.#values.keys())
      if (!values.has(key)) this.#found("false-state", `has a value of "${key}", which is deleted`);
  }

  #found(is: ViolationKind, what: string): void {
    const { reader, channel } = this.#record;
    this.violations.push({ is, channel, of: reader, message: `Reader ${reader} of "${channel}" ${what}.` });
  }
}
