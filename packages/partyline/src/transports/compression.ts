import type { Metrics, WireFormat } from "../core/ports.ts";
import { deflate } from "./deflate.ts";
import { connectSseFormat, type EventsPart, eventsParts, rawSseFormat } from "./formats.ts";
import { gzipPiece, type GzipPiece } from "./gzip-piece.ts";
import { itemLines } from "./item-lines.ts";
import { BINARY_FRAME, COMPRESSED, TEXT_FRAME, wholeFrame } from "./websocket-frame.ts";

/** What is compressed, by {@link createCompression}. */
export interface CompressionOptions {
  /** Bytes from which on a message, or what a channel got in one turn, is compressed. Default 1 024. */
  readonly threshold?: number;
}

/** What compresses, made once for a server. */
export interface Compression {
  /** See {@link CompressionOptions.threshold}. */
  readonly threshold: number;
  /** For WebSockets that negotiated `permessage-deflate` (RFC 7692). */
  readonly webSocket: { readonly raw: WireFormat<Buffer>; readonly connect: WireFormat<Buffer> };
  /** For event streams with `Content-Encoding: gzip`. */
  readonly stream: {
    readonly raw: WireFormat<GzipPiece>;
    readonly connect: WireFormat<GzipPiece>;
    readonly events: WireFormat<readonly EventsPart[]>;
  };
}

/** Below this hardly a packet is saved, and deflating takes nearly as long as for this. */
const THRESHOLD = 1024;

/** What ends a block, and is left out of a frame (RFC 7692, section 7.2.1). */
const FLUSH_END = 4;

/**
 * What is compressed depends on nothing that was sent before: it is made once, and is the same bytes for everybody. It
 * holds what one channel got, and never a reply, so that nobody's secret is compressed beside what somebody else chose.
 *
 * @param metrics Are told how many bytes were compressed, and how many that made, once for all readers.
 *
 * @throws TypeError where the threshold is no number of bytes.
 */
export function createCompression(
  { threshold = THRESHOLD }: CompressionOptions,
  metrics: Metrics,
): Compression {
  if (!(threshold >= 0)) throw new TypeError(`compression.threshold is a number of bytes: ${threshold}.`);
  const pack: Pack = (content) => {
    if (content.length < threshold) return undefined;
    const packed = deflate(content);
    if (packed.length >= content.length) return undefined;
    metrics.count("compressed", "before", content.length);
    metrics.count("compressed", "after", packed.length);
    return packed;
  };
  const frame = (opcode: number, payload: Uint8Array): Buffer => {
    const packed = pack(payload);
    return packed
      ? wholeFrame(COMPRESSED | opcode, packed.subarray(0, -FLUSH_END))
      : wholeFrame(opcode, payload);
  };
  const piece = (content: Uint8Array): GzipPiece => gzipPiece(content, pack(content));
  return {
    threshold,
    webSocket: {
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
    },
    stream: {
      raw: { slot: 8, encode: (channel, item) => piece(rawSseFormat.encode(channel, item).plain) },
      connect: { slot: 9, encode: (channel, item) => piece(connectSseFormat.encode(channel, item).plain) },
      events: {
        slot: 10,
        encode: (channel, item) =>
          eventsParts(channel, item, (block) =>
            Buffer.byteLength(block) < threshold ? block : piece(Buffer.from(block)),
          ),
      },
    },
  };
}

/** Compresses; `undefined` where that is not worth it. */
type Pack = (content: Uint8Array) => Buffer | undefined;

const NOTHING = Buffer.alloc(0);
