/** Ends what it was given, the newest first: what `AsyncDisposableStack` is where Node has it. */
export interface Disposables extends AsyncDisposable {
  /** Gives back what it takes. */
  use<T extends AsyncDisposable>(one: T): T;
}

export function createDisposables(): Disposables {
  const all: AsyncDisposable[] = [];
  return {
    use(one) {
      all.push(one);
      return one;
    },
    async [Symbol.asyncDispose]() {
      for (let one = all.pop(); one; one = all.pop()) await one[Symbol.asyncDispose]();
    },
  };
}
