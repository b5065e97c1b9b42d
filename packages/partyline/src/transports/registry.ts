import type { Timed, Wheel } from "../core/ports.ts";
import type { PartylineError } from "../protocol/errors.ts";

/** Ms until the next look at each connection. The wheel turns once a second and is never early: so, at its next turn. */
const LOOK = 1;

/** How somebody is asked to leave. */
export interface Parting {
  /** How much longer it is served where it leaves by itself, ms. */
  readonly within: number;
  /** When whoever must be sent away may come back, ms. */
  readonly retry: number;
  /** Why whoever must be sent away is. */
  readonly reason: PartylineError;
}

/** Somebody who is being served. */
export interface Guest {
  /** Is it sent away when it is asked to leave? Others open their next connection first, and miss nothing. */
  readonly breaks: boolean;
  /** Asks it to leave; once. */
  leave(parting: Parting): void;
  close(reason: PartylineError): void;
}

/** A connection as its server keeps it: to look after it, and to end it. */
export interface Kept extends Guest {
  /** Place in the registry, kept by the registry: so that leaving is O(1). */
  index: number;
  /** Time for pings and for what is overdue; `second` counts the seconds since the start. */
  tick(second: number): void;
  /** Ends it without another word. */
  destroy(): void;
}

/**
 * The open connections of one server. Node itself knows neither WebSockets nor our streams any more; and one list
 * that is looked through once a second costs less than a timer, or a place on the wheel, for each of them.
 */
export class Registry implements Timed {
  readonly #wheel: Wheel;
  readonly #list: Kept[] = [];
  #watching = false;
  #onEmpty: (() => void)[] = [];

  constructor(wheel: Wheel) {
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#list.length;
  }

  /** Whole seconds by the engine's clock: small integers, which cost a connection nothing to remember. */
  get second(): number {
    return Math.floor(this.#wheel.now / 1_000);
  }

  add(connection: Kept): void {
    connection.index = this.#list.push(connection) - 1;
    if (this.#watching) return;
    this.#watching = true;
    this.#wheel.add(this, LOOK);
  }

  remove(connection: Kept): void {
    const { index } = connection;
    if (index < 0) return;
    connection.index = -1;
    const last = this.#list.pop();
    if (last && last !== connection) {
      this.#list[index] = last;
      last.index = index;
    }
    if (this.#list.length > 0) return;
    for (const tell of this.#onEmpty.splice(0)) tell();
  }

  /** Resolves when there is no connection. */
  emptied(): Promise<void> {
    if (this.#list.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  expire(): number {
    const { second } = this;
    // Backwards, because one that leaves is replaced by the last one, which has been looked at by then.
    for (let index = this.#list.length - 1; index >= 0; index--) this.#list[index]?.tick(second);
    this.#watching = this.#list.length > 0;
    return this.#watching ? LOOK : 0;
  }

  /** Those who are there now. */
  connections(): Kept[] {
    return this.#list.slice();
  }

  destroyAll(): void {
    for (const connection of this.#list.slice()) connection.destroy();
  }
}
