import type {
  ChannelRecord,
  Evidence,
  PublishRecord,
  SeenMessage,
  Violation,
  ViolationKind,
} from "./evidence.ts";
import { isBefore, placeOf } from "./place.ts";

/** What somebody says of one position. */
interface Witness {
  readonly by: string;
  readonly message: SeenMessage;
}

/** These say that a publish was not stored, whatever the network did; all others leave it open. */
const OPEN_REFUSALS: readonly string[] = ["uncertain", "closed", "offline"];

/**
 * Puts together one channel's log from all who have seen a part of it (readers, acknowledgements, what is kept in the
 * end), and holds it against what was published.
 */
export function judgeLog(channel: ChannelRecord, { publishes, readers }: Evidence): Violation[] {
  const name = channel.channel;
  const violations: Violation[] = [];
  const found = (is: ViolationKind, message: string, of?: string): void =>
    void violations.push({ is, channel: name, of, message });

  const own = publishes.filter((publish) => publish.channel === name);
  const byId = new Map(own.map((publish) => [publish.id, publish]));
  /** For readers that are told no ids. */
  const byData = new Map(own.map((publish) => [publish.data, publish]));
  const log = new Map<string, Witness>();
  const placeOfId = new Map<string, string>();

  const witness = (by: string, message: SeenMessage): void => {
    const { position, id } = message;
    const before = log.get(position);
    if (before && !isSame(before.message, message))
      found(
        "disagreement",
        `At ${position} of "${name}" ${before.by} saw ${describe(before.message)}, ${by} ${describe(message)}.`,
      );
    // Who knows more is the better witness.
    if (!before || (id !== undefined && before.message.id === undefined)) log.set(position, { by, message });
    if (id === undefined) return;
    const { epoch } = placeOf(position);
    const elsewhere = placeOfId.get(`${epoch} ${id}`);
    placeOfId.set(`${epoch} ${id}`, elsewhere ?? position);
    if (elsewhere !== undefined && elsewhere !== position)
      found("doubled", `The publish ${id} to "${name}" is stored at ${elsewhere} and at ${position}.`);
  };

  for (const publish of own)
    if (publish.fate.is === "stored")
      witness(`the publisher ${publish.publisher}`, { ...publish, position: publish.fate.position });
  for (const message of channel.kept ?? []) witness("the log", message);
  for (const { reader, told, channel: read } of readers)
    if (read === name)
      for (const item of told) if (item.is === "message") witness(`the reader ${reader}`, item);

  for (const { by, message } of log.values()) {
    const publish = message.id === undefined ? byData.get(message.data) : byId.get(message.id);
    if (!publish)
      found("foreign", `${by} saw at ${message.position} what nobody published: ${describe(message)}.`);
    else if (!isSame(publish, message))
      found(
        "foreign",
        `${by} saw at ${message.position} ${describe(message)}; published was ${describe(publish)}.`,
      );
    else if (publish.fate.is === "refused" && !OPEN_REFUSALS.includes(publish.fate.code))
      found("foreign", `${publish.id} was refused as ${publish.fate.code}, and is at ${message.position}.`);
    else if (publish.fate.is === "superseded")
      found("foreign", `${publish.id} was superseded, and is at ${message.position}.`);
  }
  judgeLives(channel, log, found);
  judgePublishers(own, found);
  return violations;
}

/** A log goes on where it was, unless its past was lost; and what it has acknowledged it has. */
function judgeLives(
  { channel, lives, head, kept, keep }: ChannelRecord,
  log: ReadonlyMap<string, Witness>,
  found: (is: ViolationKind, message: string) => void,
): void {
  const end = head === undefined ? undefined : placeOf(head);
  const epochs = new Set([...log.keys()].map((position) => placeOf(position).epoch));
  if (end) epochs.add(end.epoch);
  if (epochs.size > lives)
    found("false-life", `"${channel}" has had ${epochs.size} lives; its past was lost ${lives - 1} times.`);
  if (!end) return;
  for (const [position, { by }] of log)
    if (isBefore(end, placeOf(position)))
      found("vanished", `${by} saw a message of "${channel}" at ${position}; the log ends at ${head}.`);
  if (!kept || keep !== "history") return;
  const positions = new Set(kept.map((message) => message.position));
  const oldest = placeOf(kept[0]?.position ?? `${end.epoch}:${end.offset + 1}`).offset;
  for (const [position, { by }] of log) {
    const { epoch, offset } = placeOf(position);
    if (epoch === end.epoch && offset >= oldest && offset <= end.offset && !positions.has(position))
      found("vanished", `${by} saw a message of "${channel}" at ${position}; the log has it no more.`);
  }
}

/** What one publisher was told to be stored must stand in the order in which it was asked for. */
function judgePublishers(
  publishes: readonly PublishRecord[],
  found: (is: ViolationKind, message: string, of: string) => void,
): void {
  const newest = new Map<string, { readonly id: string; readonly position: string }>();
  for (const { publisher, id, channel, fate, spansLives } of publishes) {
    if (fate.is === "pending")
      found("unsettled", `The publish ${id} of ${publisher} to "${channel}" was never settled.`, publisher);
    if (fate.is !== "stored" || spansLives) continue;
    const before = newest.get(publisher);
    if (before && isBefore(placeOf(fate.position), placeOf(before.position)))
      found(
        "misordered",
        `${publisher} published ${before.id} to "${channel}" before ${id}; they are at ${before.position} and ${fate.position}.`,
        publisher,
      );
    else newest.set(publisher, { id, position: fate.position });
  }
}

type Comparable = Pick<SeenMessage, "id" | "key" | "kind" | "data">;

function isSame(one: Comparable, other: Comparable): boolean {
  return (
    one.data === other.data &&
    agree(one.id, other.id) &&
    agree(one.kind, other.kind) &&
    // Where keys count, one that was not given is the empty one.
    (one.kind === undefined || other.kind === undefined || (one.key ?? "") === (other.key ?? ""))
  );
}

/** Who knows nothing of it agrees to anything. */
function agree(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

function describe({ id = "(no id)", key, kind, data }: Comparable): string {
  const short = data.length > 40 ? `${data.slice(0, 40)}… (${data.length})` : data;
  return `${kind ?? "(no kind)"} ${id}${key ? ` of key ${key}` : ""} ${short}`;
}
