/**
 * Those of one connection that are behind, and whose turn it is. Who was live until the socket filled comes before who
 * has been behind for long, each second time: a large catch-up does not hold up a chat, nor a busy chat the catch-up.
 */
export class Lagging<T> {
  #fresh: T[] = [];
  #behind: T[] = [];
  #freshIsNext = true;

  get size(): number {
    return this.#fresh.length + this.#behind.length;
  }

  /** It was live until now. */
  addFresh(one: T): void {
    this.#fresh.push(one);
  }

  add(one: T): void {
    this.#behind.push(one);
  }

  next(): T | undefined {
    const fresh = this.#behind.length === 0 || (this.#freshIsNext && this.#fresh.length > 0);
    this.#freshIsNext = !fresh;
    return (fresh ? this.#fresh : this.#behind).shift();
  }

  remove(one: T): void {
    const others = (other: T): boolean => other !== one;
    this.#fresh = this.#fresh.filter(others);
    this.#behind = this.#behind.filter(others);
  }
}
