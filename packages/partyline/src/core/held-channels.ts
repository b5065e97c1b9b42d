import { nameProblem, normalForm } from "../protocol/channel-name.ts";

/** A peer that has had this many channels' publishes refused, and begun none of them anew, is not remembered for more. */
const MOST = 1_024;

/**
 * The channels on which a publish of one peer was not stored: what the peer sent after it waits for its `first`. What
 * the peer sent before it does not, however late it is stored.
 */
export class HeldChannels {
  /** By name: place of the first publish that was not stored. */
  readonly #since = new Map<string, number>();

  get tooMany(): boolean {
    return this.#since.size > MOST;
  }

  /** @param place Number of the line that was refused, as they came. */
  hold(channel: string, place: number): void {
    const name = normalForm(channel);
    if (name === undefined || nameProblem(name)) return;
    this.#since.set(name, Math.min(place, this.#since.get(name) ?? place));
  }

  /** The peer begins anew. */
  release(name: string): void {
    this.#since.delete(name);
  }

  holds(name: string, place: number): boolean {
    return this.#since.size > 0 && (this.#since.get(name) ?? place) < place;
  }
}
