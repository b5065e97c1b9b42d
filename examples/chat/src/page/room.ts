import type { Channel, Client, PartylineError } from "partyline/client";
import type { ChatMessage, Typing } from "../message.ts";
import { gapSentence } from "./gaps.ts";
import { type Identity, randomId } from "./identity.ts";
import type { Missing, Said, Unsent } from "./rows.ts";
import { TypingList } from "./typing.ts";
import { loadUnsent, saveUnsent } from "./unsent-store.ts";

/** How much of a room's past is asked for on joining it. */
const HISTORY = "last:200";

/** A window that is open for weeks shows this many of the newest. */
const MOST_SHOWN = 1000;

/** One room: what was said in it, and what of one's own is still on its way. */
export class Room {
  readonly name: string;
  readonly log: (Said | Missing)[] = [];
  readonly typing = new TypingList();
  unsent: Unsent[];
  /** Messages that came while another room was open. */
  unread = 0;
  readonly #me: () => Identity;
  readonly #changed: (room: Room) => void;
  readonly #messages: Channel<ChatMessage>;
  readonly #typing: Channel<Typing>;
  /** What stood in the room before this window joined is not unread. */
  #joined = false;

  constructor(client: Client, name: string, me: () => Identity, changed: (room: Room) => void) {
    this.name = name;
    this.#me = me;
    this.#changed = changed;
    this.unsent = loadUnsent(name);
    // A chat goes on after a gap; what matters is that the gap is told.
    this.#messages = client.channel<ChatMessage>(`chat/${name}`, { since: HISTORY, onGap: "continue" });
    this.#typing = client.channel<Typing>(`typing/${name}`, { keep: "nothing" });
    for (const unsent of this.unsent) if (unsent.state !== "failed") this.#publish(unsent);
    this.#listen();
  }

  /** Why the server does not let us read here, if so. */
  get refusal(): PartylineError | undefined {
    const { status, error } = this.#messages.state;
    return status === "refused" ? error : undefined;
  }

  get loading(): boolean {
    return this.log.length === 0 && this.#messages.state.status === "attaching";
  }

  /** Shows the message at once, and keeps it until the server has it. */
  say(text: string): void {
    const unsent: Unsent = { ...this.#me(), id: randomId(), text, time: Date.now(), state: "waiting" };
    this.unsent.push(unsent);
    this.#publish(unsent);
    this.#unsentChanged();
  }

  /** Under the same id: had the server stored it after all, it would not store it twice. */
  tryAgain(id: string): void {
    const unsent = this.unsent.find((each) => each.id === id);
    if (unsent?.state !== "failed") return;
    this.#update(id, "waiting");
    this.#publish(unsent);
  }

  discard(id: string): void {
    this.unsent = this.unsent.filter((each) => each.id !== id);
    this.#unsentChanged();
  }

  tellTyping(typing: boolean): void {
    // Without a connection it is refused at once, and that is all right: it is about now.
    this.#typing.publish({ ...this.#me(), typing }).catch(() => undefined);
  }

  #listen(): void {
    this.#messages.on("message", ({ position, id, time, data }) => {
      this.#append({ kind: "said", position, id, time, ...data });
      this.typing.spoke(data.by);
      if (id !== undefined && this.unsent.some((each) => each.id === id)) this.discard(id);
      if (this.#joined && data.by !== this.#me().by) this.unread += 1;
      this.#joined ||= position === this.#messages.head;
      this.#changed(this);
    });
    this.#messages.on("gap", (gap) => {
      this.#append({ kind: "missing", position: gap.to, text: gapSentence(gap) });
      this.#changed(this);
    });
    this.#messages.on("state", ({ status }) => {
      if (status === "attached" && this.#messages.head === this.#messages.position) this.#joined = true;
      this.#changed(this);
    });
    this.#typing.on("message", ({ data }) => {
      if (data.by === this.#me().by) return;
      this.typing.heard(data, Date.now());
      this.#changed(this);
    });
  }

  #append(item: Said | Missing): void {
    this.log.push(item);
    if (this.log.length > MOST_SHOWN) this.log.shift();
  }

  /** The client sends it again, under the same id and in order, until the server has answered. */
  #publish({ id, by, name, text }: Unsent): void {
    this.#messages.publish({ by, name, text }, { id }).then(
      ({ position }) => {
        // Its echo may have come, or may never come: it can lie before what was asked for of the past.
        if (offsetOf(position) <= offsetOf(this.#messages.position)) this.discard(id);
        else this.#update(id, "stored");
      },
      (error: PartylineError) => {
        // Leaving the page is no refusal: the message stays and is sent when the page is opened again.
        if (error.code !== "closed") this.#update(id, "failed", error.message);
      },
    );
  }

  #update(id: string, state: Unsent["state"], problem?: string): void {
    this.unsent = this.unsent.map((each) => {
      if (each.id !== id) return each;
      const { problem: _, ...rest } = each;
      return { ...rest, state, ...(problem !== undefined && { problem }) };
    });
    this.#unsentChanged();
  }

  #unsentChanged(): void {
    saveUnsent(this.name, this.unsent);
    this.#changed(this);
  }
}

function offsetOf(position: string | undefined): number {
  return Number(position?.split(":")[1] ?? 0);
}
