import assert from "node:assert/strict";
import type {
  Appended,
  AppendOutcome,
  Broker,
  ChannelSpec,
  MaybePromise,
  NewMessage,
  Page,
  Subscription,
} from "../../core/ports.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { decodeText, encodeText, type Entry } from "../../protocol/message.ts";
import type { Since } from "../../protocol/position.ts";

/** What a test may need of a broker beyond the port. */
export type BrokerAbility = "clock" | "forget";

/** A broker as the suite drives it, made anew for each test. */
export interface TestBroker {
  readonly broker: Broker;
  /** A second server's view of the same channels; the broker itself where it is not shared. */
  readonly peer?: Broker;
  /** Moves the clock that the broker reads, also backwards. Ability `clock`. */
  advance?(milliseconds: number): MaybePromise<void>;
  /** Ends the life of a channel's log, as a restart or a flush would. Ability `forget`. */
  forget?(name: string): MaybePromise<void>;
  /** After the test; the suite has closed `broker` and `peer` before. */
  end?(): MaybePromise<void>;
}

/** One fact about every broker. */
export interface BrokerTest {
  readonly title: string;
  readonly needs?: readonly BrokerAbility[];
  readonly run: (rig: BrokerRig) => Promise<void>;
}

/** What a test works with. */
export interface BrokerRig {
  readonly broker: Broker;
  readonly peer: Broker;
  readonly advance: (milliseconds: number) => Promise<void>;
  readonly forget: (name: string) => Promise<void>;
}

export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;

/** The definition of a channel, with bounds that no test reaches by accident. */
export function channel(name: string, changes: Partial<ChannelSpec> = {}): ChannelSpec {
  return {
    name,
    keep: "history",
    retention: { count: 10_000, bytes: 16 * 1024 * 1024, age: HOUR },
    maxKeys: 10_000,
    idleAge: 24 * HOUR,
    ...changes,
  };
}

/** A message on its way into the log. */
export function message(text: string, changes: Partial<NewMessage> = {}): NewMessage {
  return { kind: "text", id: undefined, at: undefined, key: undefined, data: encodeText(text), ...changes };
}

/** The tombstone of a key. */
export function deletion(key: string): NewMessage {
  return message("", { kind: "deleted", key });
}

/** Appends, and expects that it is stored. */
export async function put(
  broker: Broker,
  spec: ChannelSpec,
  ...messages: readonly (NewMessage | string)[]
): Promise<readonly Appended[]> {
  const outcome: AppendOutcome = await broker.append(
    spec,
    messages.map((item) => (typeof item === "string" ? message(item) : item)),
  );
  assert.equal(
    outcome.is,
    "stored",
    outcome.is === "refused" ? `${outcome.error.code}: ${outcome.error.message}` : "",
  );
  return outcome.is === "stored" ? outcome.results : [];
}

/** As {@link put}, for one message. */
export async function putOne(
  broker: Broker,
  spec: ChannelSpec,
  item: NewMessage | string,
): Promise<Appended> {
  const [result] = await put(broker, spec, item);
  assert.ok(result);
  return result;
}

/** Appends, and expects that it is refused. */
export async function refusal(
  broker: Broker,
  spec: ChannelSpec,
  ...messages: readonly NewMessage[]
): Promise<{ index: number; code: ErrorCode }> {
  const outcome = await broker.append(spec, messages);
  if (outcome.is === "stored") assert.fail("It was stored.");
  return { index: outcome.index, code: outcome.error.code };
}

const WHOLE = { messages: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };
export const EARLIEST: Since = { at: "earliest" };
export const NOW: Since = { at: "now" };

/** From just behind this offset of this epoch. */
export function after(epoch: string, offset: number): Since {
  return { at: "position", position: { epoch, offset } };
}

/** One page, of a channel that is there. */
export async function page(
  broker: Broker,
  spec: ChannelSpec,
  since: Since = EARLIEST,
  limit = WHOLE,
): Promise<Page> {
  const answer = await broker.read(spec, since, limit);
  assert.ok(answer, `There is no channel ${spec.name}.`);
  return answer;
}

/** The entries' data as text. */
export function texts(entries: readonly Entry[]): (string | undefined)[] {
  return entries.map((entry) => decodeText(entry.data));
}

/** An entry whose data can be compared whatever class holds the bytes. */
export function plain(entry: Entry): object {
  return { ...entry, data: [...entry.data] };
}

/** A subscription that writes down what it gets. */
export interface Ear {
  readonly subscription: Subscription;
  readonly heard: { readonly epoch: string; readonly entry: Entry }[];
  /** Resolves when this many messages came since the beginning. */
  until(count: number): Promise<void>;
}

export async function listen(broker: Broker, spec: ChannelSpec): Promise<Ear> {
  const heard: { epoch: string; entry: Entry }[] = [];
  let wake: (() => void) | undefined;
  const subscription = await broker.subscribe(spec, (epoch, entries) => {
    for (const entry of entries) heard.push({ epoch, entry });
    wake?.();
  });
  return {
    subscription,
    heard,
    async until(count) {
      while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}
