/** Counts what was taken and not answered yet, and tells who waits when nothing is left. */
export class Settlement {
  #open = 0;
  #waiter: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  take(): void {
    this.#open++;
  }

  answered(): void {
    this.#open--;
    if (this.#open === 0) this.finish();
  }

  /** Nothing more will be answered: whoever waits may go on. */
  finish(): void {
    this.#waiter?.resolve();
    this.#waiter = undefined;
  }

  /** `undefined` where nothing is open. */
  wait(): Promise<void> | undefined {
    if (this.#open === 0) return undefined;
    if (!this.#waiter) {
      let resolve = (): void => {};
      const promise = new Promise<void>((done) => (resolve = done));
      this.#waiter = { promise, resolve };
    }
    return this.#waiter.promise;
  }
}
