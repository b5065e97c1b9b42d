import { describe, expect, it } from "vitest";
import { createProgress } from "./progress.ts";

function rig(
  isTTY: boolean,
  columns = 80,
): {
  written: string[];
  at: (time: number) => void;
  now: () => number;
  output: { write(text: string): void; isTTY: boolean; columns: number };
} {
  let time = 1000;
  const written: string[] = [];
  return {
    written,
    at: (next) => void (time = 1000 + next),
    now: () => time,
    output: { write: (text) => void written.push(text), isTTY, columns },
  };
}

describe("progress", () => {
  it("is one line that is written over on a terminal, with count, share, pace and time", () => {
    const { written, at, now, output } = rig(true);
    const progress = createProgress(output, now, 2000);
    at(400);
    progress.update(100);
    at(600);
    progress.update(600, "2018-02-07");
    at(650);
    progress.update(700);
    at(1000);
    progress.update(1000);
    progress.clear();
    progress.clear();
    expect(written).toEqual([
      "\r\u001b[K600/2,000  30%  1,000/s  0.6 s  2018-02-07",
      "\r\u001b[K1,000/2,000  50%  1,000/s  1.0 s",
      "\r\u001b[K",
    ]);
  });

  it("never fills the last column of a terminal", () => {
    const { written, at, now, output } = rig(true, 20);
    const progress = createProgress(output, now);
    at(600);
    progress.update(600, "a note that is too long");
    expect(written).toEqual(["\r\u001b[K600  1,000/s  0.6 s"]);
  });

  it("is a line every five seconds elsewhere, without escape sequences", () => {
    const { written, at, now, output } = rig(false);
    const progress = createProgress(output, now);
    for (let time = 0; time <= 12_000; time += 100) {
      at(time);
      progress.update(time / 100);
    }
    progress.clear();
    expect(written).toEqual(["50  10/s  5.0 s\n", "100  10/s  10 s\n"]);
    expect(progress.elapsed()).toBe(12_000);
  });
});
