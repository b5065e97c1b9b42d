import type { Readable } from "node:stream";
import { PartylineError } from "../protocol/errors.ts";

/** Up to this much of a body that is too large is read and dropped, so that its sender gets to see the refusal. */
export const DROPPED_BYTES: number = 16 * 1024 * 1024;

/** The error of a body that is larger than it may be. */
export function bodyTooLarge(limit: number): PartylineError {
  return new PartylineError("too-large", `The body has more than ${limit} bytes.`);
}

/** The error of a body whose end never came. Nobody is there to be told; what was begun for it ends all the same. */
export function bodyCutOff(): PartylineError {
  return new PartylineError("bad-frame", "The body was cut off.");
}

/**
 * Collects a body; `take` is called once, with `too-large` as soon as it is clear.
 *
 * @param isWhole Asked at the end: was that the body's own end?
 */
export function collectBody(
  source: Readable,
  limit: number,
  isWhole: () => boolean,
  take: (body: Uint8Array | PartylineError) => void,
): void {
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let length = 0;
  let over = false;
  const end = (body: Uint8Array | PartylineError): void => {
    if (over) return;
    over = true;
    take(body);
  };
  source.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (over) {
      if (length > DROPPED_BYTES) source.destroy();
    } else if (length > limit) end(bodyTooLarge(limit));
    else if (!first) first = chunk;
    else (rest ??= [first]).push(chunk);
  });
  source.on("end", () => {
    if (!isWhole()) end(bodyCutOff());
    else end(rest ? Buffer.concat(rest, length) : (first ?? EMPTY));
  });
  // `close` follows, and is all that matters.
  source.on("error", ignore);
  source.on("close", () => {
    // Asked first: an error is dear to make, and every whole body closes too.
    if (!over) end(bodyCutOff());
  });
}

function ignore(): void {}

const EMPTY = Buffer.alloc(0);
