import type { Writable } from "node:stream";
import type { Body, OwnBuffer } from "../transports/pieces.ts";

/** Bytes that it is on the wire. */
export function bodyLength(body: Body): number {
  if (typeof body === "string") return Buffer.byteLength(body);
  return body.reduce((length, piece) => length + piece.length, 0);
}

/** In one piece, where it has to be. */
export function joinBody(body: Body): string | OwnBuffer {
  return typeof body === "string" ? body : Buffer.concat(body);
}

/** Ends the answer with its body, copying nothing that others are given too. */
export function endWithBody(out: Writable, body: Body): void {
  if (typeof body === "string") return void out.end(body);
  out.cork();
  for (const piece of body) out.write(piece);
  out.end();
}
