import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientFrame } from "./load/client-frame.ts";
import { MARK } from "./load/message.ts";
import type { ReadyOptions } from "./load/order.ts";

const TIME = 60_000;

/** What a server sent, in a file that is there until this is disposed of. */
export interface Recording extends ReadyOptions, Disposable {}

export interface RecordOptions {
  readonly port: number;
  readonly opening: string;
  /** What is said one after the other, and what each answer holds. */
  readonly says: readonly { readonly say: string; readonly answer: string }[];
  readonly messages: number;
  /** Is called when all was said. */
  readonly afterwards?: () => void;
}

/** Takes part in a conversation once, and keeps what the server said behind its head: a part for each thing said. */
export async function record({
  port,
  opening,
  says,
  messages,
  afterwards,
}: RecordOptions): Promise<Recording> {
  const chunks: Buffer[] = [];
  const parts: [number, number][] = [];
  let marks = 0;
  let length = 0;
  let wake = (): void => undefined;
  const socket = connect(port, "127.0.0.1", () => socket.write(opening));
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    for (let at = chunk.indexOf(MARK); at >= 0; at = chunk.indexOf(MARK, at + 1)) marks += 1;
    wake();
  });
  socket.on("close", () => wake());
  const end = performance.now() + TIME;
  const deadline = setTimeout(() => wake(), TIME);
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) {
      if (socket.destroyed || performance.now() >= end)
        throw new Error("A conversation could not be recorded.");
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const cut = (): void => {
    parts.push([parts.at(-1)?.[1] ?? head, length]);
  };

  let head = -1;
  await until(() => (head = Buffer.concat(chunks).indexOf("\r\n\r\n")) >= 0);
  head += 4;
  for (const { say, answer } of says) {
    cut();
    const from = length;
    socket.write(clientFrame(say));
    await until(() => Buffer.concat(chunks).includes(answer, from));
  }
  afterwards?.();
  await until(() => marks >= messages);
  cut();
  clearTimeout(deadline);
  socket.destroy();

  const folder = mkdtempSync(join(tmpdir(), "partyline-bench-"));
  const recording = join(folder, "recording");
  writeFileSync(recording, Buffer.concat(chunks));
  return { recording, parts, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
