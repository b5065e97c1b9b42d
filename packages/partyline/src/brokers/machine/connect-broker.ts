import type {
  AppendListener,
  AppendOutcome,
  Broker,
  BrokerCapabilities,
  ChannelSpec,
  Head,
  Logger,
  NewMessage,
  Page,
  PageLimit,
  Subscription,
} from "../../core/ports.ts";
import { PartylineError } from "../../protocol/errors.ts";
import { logger as isLogger, readOptions, type Rules } from "../../protocol/options.ts";
import type { Position, Since } from "../../protocol/position.ts";
import { createByteKeeper } from "../own-bytes.ts";
import type { Reader, Writer } from "./bytes.ts";
import { type Contact, lostContact, openContact } from "./contact.ts";
import {
  readEntries,
  readHeads,
  readOutcome,
  readPage,
  readPosition,
  writeLimit,
  writeMessages,
  writeSince,
  writeSpec,
} from "./fields.ts";
import { ASK } from "./wire.ts";

/** Between two attempts to connect again, ms: the first, and the longest. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;

/** What {@link connectBroker} can be told. */
export interface ConnectOptions {
  /** Where it is told that contact was lost, and that it is back. Default: nowhere. */
  readonly logger?: Logger;
}

const RULES: Rules<ConnectOptions> = { logger: isLogger };

/** A {@link Broker} in another process of this machine. */
export interface ConnectedBroker extends Broker {
  append(channel: ChannelSpec, messages: readonly NewMessage[]): Promise<AppendOutcome>;
  read(channel: ChannelSpec, since: Since, limit: PageLimit): Promise<Page | undefined>;
  subscribe(channel: ChannelSpec, listener: AppendListener): Promise<Subscription>;
  heads(names: readonly string[]): Promise<readonly (Head | undefined)[]>;
  close(): Promise<void>;
  /** How often contact was lost since the start. */
  readonly losses: number;
}

/**
 * Uses a broker that another process of this machine shares: all servers that do have the same channels, in the same
 * order, and know each other's publish ids.
 *
 * Where contact is lost, publishes that were under way are *uncertain* and all else is refused `overloaded`, until it is
 * back; then whatever was missed is read.
 *
 * @throws Error where nobody shares a broker at the path, or one of another version.
 *
 * @example
 * ```ts
 * import { createPartyline } from "partyline";
 * import { connectBroker } from "partyline/brokers/machine";
 *
 * const server = createPartyline({ broker: await connectBroker("/run/app/partyline") });
 * ```
 */
export async function connectBroker(path: string, options: ConnectOptions = {}): Promise<ConnectedBroker> {
  const broker = new FarBroker(path, readOptions("connectBroker()", options, RULES).logger);
  await broker.connect();
  return broker;
}

/** A subscription, over all contacts. */
interface Follow {
  readonly spec: ChannelSpec;
  readonly listener: AppendListener;
  /** The newest that it was told, or that was there when it began. */
  seen: Position;
  /** Its number in the present contact. */
  n: number;
}

type State =
  | { readonly is: "open"; readonly contact: Contact }
  | { readonly is: "lost"; pause: number; timer: ReturnType<typeof setTimeout> | undefined }
  | { readonly is: "closed" };

class FarBroker implements ConnectedBroker {
  readonly #path: string;
  readonly #logger: Logger | undefined;
  readonly #keepBytes = createByteKeeper();
  readonly #follows = new Set<Follow>();
  readonly #byNumber = new Map<number, Follow>();
  #state: State = { is: "lost", pause: FIRST_PAUSE, timer: undefined };
  #stored: BrokerCapabilities["stored"] = "memory";
  #losses = 0;
  /** The newest time told, and when that was by this process's clock. */
  #told = { time: 0, at: 0 };
  #newest = 0;

  constructor(path: string, logger: Logger | undefined) {
    this.#path = path;
    this.#logger = logger;
  }

  get capabilities(): BrokerCapabilities {
    return { name: "machine", stored: this.#stored, shared: true };
  }

  get losses(): number {
    return this.#losses;
  }

  async append(spec: ChannelSpec, messages: readonly NewMessage[]): Promise<AppendOutcome> {
    const state = this.#state;
    if (state.is === "closed") throw closed();
    // Nothing was sent: surely not stored is worth more to a publisher than uncertain.
    if (state.is === "lost") return { is: "refused", index: 0, error: lostContact() };
    if (state.contact.isFull) return { is: "refused", index: 0, error: full() };
    return state.contact.call(
      ASK.append,
      (to) => {
        writeSpec(to, spec);
        writeMessages(to, messages);
      },
      readOutcome,
    );
  }

  read(spec: ChannelSpec, since: Since, limit: PageLimit): Promise<Page | undefined> {
    return this.#ask((contact) => readFrom(contact, spec, since, limit));
  }

  heads(names: readonly string[]): Promise<readonly (Head | undefined)[]> {
    const write = (to: Writer): void => void to.list(names, (name) => to.text(name));
    return this.#ask((contact) => contact.call(ASK.heads, write, readHeads));
  }

  subscribe(spec: ChannelSpec, listener: AppendListener): Promise<Subscription> {
    const follow: Follow = { spec, listener, seen: { epoch: "", offset: 0 }, n: 0 };
    return this.#ask((contact) =>
      this.#follow(contact, follow, (head) => {
        this.#follows.add(follow);
        follow.seen = head;
        return { head, close: () => this.#unfollow(follow) };
      }),
    );
  }

  time(): number {
    const now = Math.floor(this.#told.time + performance.now() - this.#told.at);
    return (this.#newest = Math.max(this.#newest, now));
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { is: "closed" };
    this.#follows.clear();
    this.#byNumber.clear();
    if (state.is === "lost") clearTimeout(state.timer);
    if (state.is === "open") await state.contact.end();
  }

  /** @throws Error */
  async connect(): Promise<void> {
    const contact: Contact = await openContact(this.#path, {
      time: (time) => (this.#told = { time, at: performance.now() }),
      appended: (n, from) => this.#appended(n, from),
      lost: () => this.#lost(contact),
    });
    if (this.#state.is !== "lost") return contact.end();
    this.#state = { is: "open", contact };
    this.#stored = contact.stored;
    for (const follow of this.#follows) this.#followAgain(contact, follow);
  }

  #ask<T>(call: (contact: Contact) => Promise<T>): Promise<T> {
    const state = this.#state;
    if (state.is === "closed") return Promise.reject(closed());
    if (state.is === "lost") return Promise.reject(lostContact());
    return state.contact.isFull ? Promise.reject(full()) : call(state.contact);
  }

  #follow<T>(contact: Contact, follow: Follow, followed: (head: Position) => T): Promise<T> {
    return contact.call(
      ASK.subscribe,
      (to) => writeSpec(to, follow.spec),
      (from, n) => {
        follow.n = n;
        this.#byNumber.set(n, follow);
        return followed(readPosition(from));
      },
    );
  }

  #unfollow(follow: Follow): void {
    if (!this.#follows.delete(follow)) return;
    this.#byNumber.delete(follow.n);
    if (this.#state.is === "open" && follow.n > 0) this.#state.contact.unsubscribe(follow.n);
  }

  #appended(n: number, from: Reader): void {
    const follow = this.#byNumber.get(n);
    if (!follow) return;
    const own = follow.spec.keep === "nothing" ? (data: Uint8Array) => data : this.#keepBytes;
    const epoch = from.text();
    this.#tell(follow, epoch, readEntries(from, own));
  }

  #tell(follow: Follow, epoch: string, entries: Parameters<AppendListener>[1]): void {
    const last = entries.at(-1);
    if (last) follow.seen = { epoch, offset: last.offset };
    try {
      follow.listener(epoch, entries);
    } catch (error) {
      // The others must be told all the same: it surfaces by itself.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  // --- when contact is lost ----------------------------------------------------------------------------------

  #lost(contact: Contact): void {
    if (this.#state.is !== "open" || this.#state.contact !== contact) return;
    this.#losses++;
    this.#logger?.warn("contact to the broker's process is lost: connecting again");
    this.#byNumber.clear();
    for (const follow of this.#follows) follow.n = 0;
    this.#state = { is: "lost", pause: FIRST_PAUSE, timer: undefined };
    this.#connectSoon(this.#state);
  }

  #connectSoon(state: State & { is: "lost" }): void {
    state.timer = setTimeout(() => {
      this.connect().then(
        () => this.#logger?.warn("contact to the broker's process is back"),
        () => {
          if (this.#state !== state) return;
          state.pause = Math.min(2 * state.pause, LONGEST_PAUSE);
          this.#connectSoon(state);
        },
      );
    }, state.pause);
  }

  /** What was missed is a hole before the newest message: who is told of that one reads on from where it was. */
  #followAgain(contact: Contact, follow: Follow): void {
    const followed = (head: Position): void => {
      if (!this.#follows.has(follow)) {
        this.#byNumber.delete(follow.n);
        contact.unsubscribe(follow.n);
      } else if (isLater(head, follow.seen)) this.#tellNewest(contact, follow, head);
    };
    this.#follow(contact, follow, followed).catch((error: unknown) => this.#unfollowed(follow, error));
  }

  #tellNewest(contact: Contact, follow: Follow, head: Position): void {
    const before: Since = { at: "position", position: { ...head, offset: head.offset - 1 } };
    readFrom(contact, follow.spec, before, { messages: 1, bytes: 1 }).then(
      (page) => {
        const newest = page?.entries[0];
        if (!page || newest?.offset !== head.offset || !this.#follows.has(follow)) return;
        if (isLater({ epoch: page.epoch, offset: newest.offset }, follow.seen))
          this.#tell(follow, page.epoch, [{ ...newest, data: this.#keepBytes(newest.data) }]);
      },
      (error: unknown) => this.#unfollowed(follow, error),
    );
  }

  /** The next check of heads finds out what it misses. */
  #unfollowed({ spec }: Follow, error: unknown): void {
    if (this.#state.is === "open")
      this.#logger?.error("a channel can't be followed again", { channel: spec.name, error: String(error) });
  }
}

function readFrom(
  contact: Contact,
  spec: ChannelSpec,
  since: Since,
  limit: PageLimit,
): Promise<Page | undefined> {
  const write = (to: Writer): void => {
    writeSpec(to, spec);
    writeSince(to, since);
    writeLimit(to, limit);
  };
  return contact.call(ASK.read, write, readPage);
}

/** A later epoch's text is greater. */
function isLater(one: Position, other: Position): boolean {
  return one.epoch === other.epoch ? one.offset > other.offset : one.epoch > other.epoch;
}

function closed(): PartylineError {
  return new PartylineError("draining", "The broker is closed.");
}

function full(): PartylineError {
  return new PartylineError("overloaded", "Too much waits for the broker's process.", { retryAfter: 1 });
}
