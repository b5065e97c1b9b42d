/** What a remote broker and its process say to each other: frames of V8's own serialization, each after its length. */
import type { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";
import { PartylineError } from "../../../src/protocol/errors.ts";
import type { Entry } from "../../../src/protocol/message.ts";

/** A call of one of the process's methods. The first one of a connection, `open`, names the past. */
export interface Call {
  readonly n: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A `PartylineError` on its way: V8 copies no classes. */
export interface FlatError {
  readonly code: PartylineError["code"];
  readonly message: string;
  readonly remedy: string;
  readonly retryAfter: number | undefined;
}

/** What the process says; `time` is its broker's. The first frame of a connection is a `hello`. */
export type Told = { readonly time: number } & (
  | { readonly is: "hello" }
  | { readonly is: "answer"; readonly n: number; readonly value: unknown }
  | { readonly is: "failure"; readonly n: number; readonly error: FlatError }
  | {
      readonly is: "appended";
      readonly subscription: number;
      readonly epoch: string;
      readonly entries: readonly Entry[];
    }
);

export function flatten(error: unknown): FlatError {
  const { code, message, remedy, retryAfter } =
    error instanceof PartylineError ? error : new PartylineError("internal", String(error));
  return { code, message, remedy, retryAfter };
}

export function revive({ code, message, remedy, retryAfter }: FlatError): PartylineError {
  return new PartylineError(code, message, { remedy, ...(retryAfter === undefined ? {} : { retryAfter }) });
}

export function send(socket: Socket, frame: Call | Told): void {
  const body = serialize(frame);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(body.length);
  socket.cork();
  socket.write(length);
  socket.write(body);
  socket.uncork();
}

/** The frames that come, until the socket ends. */
export async function* frames<Frame>(socket: Socket): AsyncGenerator<Frame, void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const end = 4 + rest.readUInt32BE();
      yield deserialize(rest.subarray(4, end)) as Frame;
      rest = rest.subarray(end);
    }
  }
}
