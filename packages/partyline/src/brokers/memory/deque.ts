/**
 * A queue that grows at one end and shrinks at the other, with access by index. A ring of a power of two; one item
 * alone is held without a ring, because most channels of a large server hold one.
 */
export class Deque<T> {
  length: number = 0;
  #one: T | undefined = undefined;
  #ring: (T | undefined)[] | undefined = undefined;
  /** Of the first item; always below `#ring.length`. */
  #start: number = 0;

  /** The item at this place, counted from the oldest. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.length) return undefined;
    const ring = this.#ring;
    return ring === undefined ? this.#one : ring[(this.#start + index) & (ring.length - 1)];
  }

  push(item: T): void {
    if (this.#ring === undefined) {
      if (this.length === 0) {
        this.#one = item;
        this.length = 1;
        return;
      }
      this.#ring = [this.#one, undefined, undefined, undefined];
      this.#one = undefined;
      this.#start = 0;
    }
    if (this.length === this.#ring.length) this.#resize(this.length * 2);
    const ring = this.#ring;
    ring[(this.#start + this.length) & (ring.length - 1)] = item;
    this.length += 1;
  }

  /** Takes the oldest item away. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const ring = this.#ring;
    this.length -= 1;
    if (ring === undefined) {
      const one = this.#one;
      this.#one = undefined;
      return one;
    }
    const item = ring[this.#start];
    ring[this.#start] = undefined;
    this.#start = (this.#start + 1) & (ring.length - 1);
    // At a quarter, so that a length that swings around one value does not copy each time.
    if (this.length <= ring.length / 4) this.#shrink(ring);
    return item;
  }

  #shrink(ring: readonly (T | undefined)[]): void {
    if (this.length > 1) {
      if (ring.length > 4) this.#resize(ring.length / 2);
      return;
    }
    this.#one = this.at(0);
    this.#ring = undefined;
    this.#start = 0;
  }

  #resize(size: number): void {
    const ring: (T | undefined)[] = [];
    for (let index = 0; index < this.length; index++) ring.push(this.at(index));
    // Filled, so that the array stays packed: a hole would send every read past it up the prototype chain.
    while (ring.length < size) ring.push(undefined);
    this.#ring = ring;
    this.#start = 0;
  }
}
