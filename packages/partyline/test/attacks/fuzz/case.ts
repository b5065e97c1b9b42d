import type { Random } from "../../chaos/random.ts";

/** What a case is made of. */
export type Kind = "heads" | "frames" | "lines" | "http2";

/** The bytes of one connection. */
export interface Case {
  readonly kind: Kind;
  /** Path and extensions of the WebSocket that the pieces are sent on; none: they are sent as they are. */
  readonly upgrade?: { readonly path: string; readonly extensions: string };
  /** Parts that make sense without each other, for example the lines of a head. */
  readonly pieces: readonly Buffer[];
}

/** Makes a case by chance. */
export type Grammar = (random: Random) => Case;

/** Changes some bytes in one of ten cases: what no grammar thinks of. */
export function mutate(random: Random, pieces: readonly Buffer[]): readonly Buffer[] {
  if (!random.chance(10)) return pieces;
  return pieces.map((piece) => {
    if (piece.length === 0 || !random.chance(40)) return piece;
    const at = random.between(0, piece.length - 1);
    switch (random.between(0, 3)) {
      case 0: {
        const changed = Buffer.from(piece);
        changed[at] = random.between(0, 255);
        return changed;
      }
      case 1:
        return Buffer.concat([piece.subarray(0, at), piece.subarray(at + random.between(1, 8))]);
      case 2:
        return Buffer.concat([
          piece.subarray(0, at),
          randomBytes(random, random.between(1, 8)),
          piece.subarray(at),
        ]);
      default:
        return piece.subarray(0, at);
    }
  });
}

export function randomBytes(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random.between(0, 255)));
}

/** Repeats this some times, now and then very often. */
export function often(random: Random, text: string): string {
  return text.repeat(
    random.weighted([
      [80, random.between(0, 4)],
      [15, random.between(5, 200)],
      [5, random.between(200, 3_000)],
    ]),
  );
}
