import { constants, deflateRawSync } from "node:zlib";
import type { WireFormat } from "../core/ports.ts";
import { itemLines } from "./item-lines.ts";
import { BINARY_FRAME, COMPRESSED, TEXT_FRAME, wholeFrame } from "./websocket-frame.ts";

/** What is compressed, by {@link createCompression}. */
export interface CompressionOptions {
  /** Bytes from which on a message, or what a channel got in one turn, is compressed. Default 1 024. */
  readonly threshold?: number;
}

/** Formats for the connections that negotiated `permessage-deflate` (RFC 7692). */
export interface Compression {
  readonly raw: WireFormat<Buffer>;
  readonly connect: WireFormat<Buffer>;
}

/** Below this a message grows, or saves less than a packet. */
const THRESHOLD = 1024;

/** What ends a sync flush, and is left out (RFC 7692, section 7.2.1). */
const FLUSH_END = 4;

/**
 * Without context takeover a compressed frame depends on nothing that was sent before: it is made once, and is the
 * same bytes for everybody. A frame holds what one channel got, and never a reply, so that nobody's secret is
 * compressed beside what somebody else chose.
 *
 * @throws TypeError where the threshold is no number of bytes.
 */
export function createCompression({ threshold = THRESHOLD }: CompressionOptions): Compression {
  if (!(threshold >= 0)) throw new TypeError(`compression.threshold is a number of bytes: ${threshold}.`);
  const frame = (opcode: number, payload: Uint8Array): Buffer => {
    const packed = payload.length < threshold ? undefined : compress(payload);
    return packed ? wholeFrame(COMPRESSED | opcode, packed) : wholeFrame(opcode, payload);
  };
  return {
    raw: {
      slot: 6,
      encode(_channel, item) {
        if (item.is !== "messages") return NOTHING;
        const frames: Buffer[] = [];
        for (const { kind, data } of item.entries)
          if (kind !== "deleted") frames.push(frame(kind === "binary" ? BINARY_FRAME : TEXT_FRAME, data));
        return Buffer.concat(frames);
      },
    },
    connect: {
      slot: 7,
      encode: (channel, item) => frame(TEXT_FRAME, Buffer.from(itemLines(channel, item))),
    },
  };
}

const NOTHING = Buffer.alloc(0);

/** `undefined` where it would be no smaller. */
function compress(payload: Uint8Array): Uint8Array | undefined {
  const packed = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  const length = packed.length - FLUSH_END;
  return length < payload.length ? packed.subarray(0, length) : undefined;
}
