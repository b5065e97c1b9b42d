/**
 * Many readers of the channel `a` in a process of their own, which can be stopped. They read bytes and not frames, so
 * that a hundred of them cost little. Ends with the test's process.
 */
import type { Account, Ask, Crowd } from "./index.ts";
import { CrowdReader, WAYS } from "./reader.ts";

const { port, readers: count } = JSON.parse(process.argv[2] ?? "{}") as Crowd;
let waiting: { readonly done: () => boolean; readonly tell: () => void } | undefined;

const readers = Array.from({ length: count }, (_, index) => {
  const way = WAYS[index % WAYS.length] as (typeof WAYS)[number];
  return new CrowdReader(way, port, () => {
    if (!waiting?.done()) return;
    const { tell } = waiting;
    waiting = undefined;
    tell();
  });
});

function until(done: () => boolean, result: () => readonly Account[] | "attached"): void {
  const tell = (): void => void process.send?.(result());
  if (done()) tell();
  else waiting = { done, tell };
}

process.on("disconnect", () => process.exit());
process.on("message", (ask: Ask) => {
  until(
    () => readers.every((reader) => reader.last >= ask.number || reader.ended),
    () => readers.map((reader) => reader.account()),
  );
});
until(
  () => readers.every((reader) => reader.attached),
  () => "attached",
);
