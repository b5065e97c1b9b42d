/** A value that may be there already: what can be answered at once is, without a detour through a microtask. */
export type MaybePromise<T> = T | Promise<T>;
