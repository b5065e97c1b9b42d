import { constants as bufferConstants } from "node:buffer";
import { constants, inflateRawSync } from "node:zlib";
import { CLOSE } from "../protocol/close-codes.ts";
import { Malformed } from "./malformed.ts";

/** What a sync flush ends with, and a compressed message leaves out (RFC 7692, section 7.2.2). */
const FLUSH_END = Buffer.of(0, 0, 0xff, 0xff);

/**
 * The message that was compressed, without what was sent before it. In one step, so that nothing overtakes it: what it
 * costs is bounded by `most`, and less than what is then done with as many bytes.
 *
 * @param most Bytes that it may have: not more of them are made.
 * @throws Malformed
 */
export function inflateMessage(payload: Uint8Array, most: number): Buffer {
  try {
    return inflateRawSync(Buffer.concat([payload, FLUSH_END]), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: Math.min(most, bufferConstants.MAX_LENGTH),
    });
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE")
      throw new Malformed(CLOSE.tooBig, `A message has at most ${most} bytes, also when it was compressed.`);
    throw new Malformed(CLOSE.badPayload, "A compressed message can't be read.");
  }
}
