import { describe, expect, it } from "vitest";
import { answerLine, resultFrame } from "./answer-frames.ts";
import type { ServerFrame } from "./frames.ts";

const position = { epoch: "mwy3eccqx4ii", offset: 238_848 };

const FRAMES: readonly ServerFrame[] = [
  resultFrame(1, { position, duplicate: false }),
  resultFrame(2, { position, duplicate: true }),
  { t: "result", n: 3 },
  { t: "pong", n: 4 },
];

describe("the line of an answer", () => {
  it.each(FRAMES)("is what JSON makes of %o", (frame) => {
    expect(answerLine(frame)).toBe(JSON.stringify(frame));
  });
});
