/**
 * What is said between processes that share a broker. Calls have a number, which the answer repeats; `subscribe`'s
 * number goes on to name the subscription. Each side writes once per turn of the event loop.
 */

/** The first frame of both sides: another version is another language. */
export const GREETING = "partyline broker 1";

/** First byte of a frame of a process that uses the broker. */
export const ASK = { greeting: 0, append: 1, read: 2, subscribe: 3, unsubscribe: 4, heads: 5 } as const;

/** First byte of a frame of the process that has the broker. */
export const TELL = { greeting: 0, time: 1, answer: 2, failure: 3, appended: 4 } as const;

/** A greeting, and whatever comes in its place, is not longer than this. */
export const GREETING_BYTES = 256;

/** What is put together in a turn is sent before its end when it is this much. */
export const CHUNK_BYTES: number = 256 * 1024;
