import type { ServerFrame } from "../protocol/frames.ts";

/** Puts answers into the order of their questions: for peers that are answered once, and tell answers by their place. */
export class AnswerOrder {
  readonly #early = new Map<number, ServerFrame>();
  /** Place of the answer that is due. */
  #due = 1;

  /** Takes the answer to the question at this place, and gives back those whose turn has come. */
  *take(place: number, frame: ServerFrame): Generator<ServerFrame> {
    this.#early.set(place, frame);
    for (let next = this.#early.get(this.#due); next; next = this.#early.get(this.#due)) {
      this.#early.delete(this.#due++);
      yield next;
    }
  }
}
