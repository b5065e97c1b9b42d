import type { ServerFrame } from "../protocol/frames.ts";
import type { Context } from "./context.ts";
import type { Connection, Outgoing, TalkingConnection } from "./ports.ts";

/** `full`: takes nothing more before it drains. `ended`: gone, or told to go. */
type State = "open" | "full" | "ended";

/** The writing end of one connection: what is handed to it is in order, and it knows when there is room. */
export abstract class Output {
  protected readonly context: Context;
  protected readonly connection: Connection;
  #state: State = "open";
  #corked = false;
  /** Did the socket drain within the write that is under way? */
  #drained = false;

  constructor(context: Context, connection: Connection) {
    this.context = context;
    this.connection = connection;
  }

  /** Do several channels write here, whose output of one turn is worth joining? */
  protected abstract get joins(): boolean;
  /** The socket takes bytes again. */
  protected abstract roomAgain(): void;

  /** May it be written to? */
  get ready(): boolean {
    return this.#state === "open";
  }

  get ended(): boolean {
    return this.#state === "ended";
  }

  /** Hands one item to the connection; what several channels write in one turn leaves together. */
  write(outgoing: Outgoing): void {
    if (this.#state === "ended") return;
    if (this.joins) this.corkTurn();
    this.#drained = false;
    this.#written(this.connection.write(outgoing));
  }

  /** A frame for this peer alone: it is in order with all else and fills the same socket. */
  reply(connection: TalkingConnection, frame: ServerFrame): void {
    if (this.#state === "ended") return;
    this.corkTurn();
    this.#drained = false;
    this.#written(connection.reply(frame));
  }

  #written(room: boolean): void {
    if (!room && !this.#drained && this.#state === "open") this.#state = "full";
  }

  drained(): void {
    this.#drained = true;
    if (this.#state !== "full") return;
    this.#state = "open";
    this.roomAgain();
  }

  /** Nothing is written from now on. */
  protected end(): void {
    this.#state = "ended";
  }

  /** Joins all that is written until the end of this turn. */
  corkTurn(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.context.turn.cork(this);
  }

  cork(): void {
    this.connection.cork();
  }

  uncork(): void {
    this.#corked = false;
    this.connection.uncork();
  }
}
