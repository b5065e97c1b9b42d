import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Keep } from "../protocol/message.ts";
import type { Position } from "../protocol/position.ts";
import type { GapReason } from "../protocol/since.ts";
import {
  type Jump,
  positionOf,
  readAttached,
  readJump,
  readMark,
  readOffset,
  type Verdict,
} from "./read-log.ts";

type LogEvent =
  | { readonly t: "attached"; readonly position: Position; readonly gap: Jump | undefined }
  | { readonly t: "message" | "mark"; readonly position: Position }
  | { readonly t: "jump"; readonly epoch: string; readonly jump: Jump };

function readLog(cursor: Position | undefined, event: LogEvent, keep: Keep): Verdict {
  switch (event.t) {
    case "attached":
      return readAttached(cursor, event.position, event.gap, keep);
    case "message":
      return readOffset(cursor, event.position);
    case "jump":
      return readJump(cursor, event.epoch, event.jump, keep);
    case "mark":
      return readMark(cursor, event.position);
  }
}

const at = (text: string): Position => positionOf(text);
const epochOf = (text: string): string => positionOf(text).epoch;
const message = (text: string): LogEvent => ({ t: "message", position: at(text) });
const jump = (from: string, to: string, reason?: GapReason): Jump => ({ from: at(from), to: at(to), reason });
const gap = (from: string, to: string, reason: GapReason): LogEvent => ({
  t: "jump",
  epoch: epochOf(from),
  jump: jump(from, to, reason),
});
const skip = (from: string, to: string): LogEvent => ({
  t: "jump",
  epoch: epochOf(from),
  jump: jump(from, to),
});
const attached = (position: string, told?: Jump): LogEvent => ({
  t: "attached",
  position: at(position),
  gap: told,
});
const mark = (position: string): LogEvent => ({ t: "mark", position: at(position) });
const read = (cursor: string | undefined, event: LogEvent, keep: Keep = "history") => {
  const verdict = readLog(cursor === undefined ? undefined : at(cursor), event, keep);
  return typeof verdict === "string" ? verdict : `${verdict.epoch}:${verdict.offset}`;
};

describe("the reader's rule", () => {
  it("takes the message after the last one and drops those before [READ-2]", () => {
    expect(read("a:4", message("a:5"))).toBe("a:5");
    expect(read("a:4", message("a:4"))).toBe("drop");
    expect(read("a:4", message("a:1"))).toBe("drop");
  });

  it("attaches again where a message is beyond the next [READ-3]", () => {
    expect(read("a:4", message("a:6"))).toBe("reattach");
  });

  it("drops messages of another epoch and those before the first reply [READ-1]", () => {
    expect(read("a:4", message("b:5"))).toBe("drop");
    expect(read(undefined, message("a:1"))).toBe("drop");
  });

  it("begins where the first reply says [READ-1]", () => {
    expect(read(undefined, attached("a:7"))).toBe("a:7");
    expect(read(undefined, attached("b:0", jump("a:7", "b:0", "epoch")))).toBe("b:0");
  });

  it("stays where it is when a continuous reply begins behind it [READ-2]", () => {
    expect(read("a:9", attached("a:7"))).toBe("a:9");
  });

  it("attaches again where a continuous reply begins beyond it, or in another epoch [READ-3]", () => {
    expect(read("a:4", attached("a:7"))).toBe("reattach");
    expect(read("b:4", attached("a:2"))).toBe("reattach");
  });

  it("follows a gap of reason epoch or unknown-position, also backwards [READ-1, READ-4]", () => {
    expect(read("a:9", gap("a:9", "b:0", "epoch"))).toBe("b:0");
    expect(read("a:9", attached("a:3", jump("a:9", "a:3", "unknown-position")))).toBe("a:3");
  });

  it("follows a change of epoch once, though two streams tell it [READ-4]", () => {
    expect(read("b:5", gap("a:9", "b:0", "epoch"))).toBe("drop");
    expect(read("b:5", attached("b:0", jump("a:7", "b:0", "epoch")))).toBe("drop");
  });

  it("asks again where the reply to an attach tells of an epoch while another stream has told of a later one", () => {
    expect(read("c:5", attached("b:0", jump("a:9", "b:0", "epoch")))).toBe("reattach");
  });

  it("asks again where a stream of another epoch tells of a third one [READ-1]", () => {
    expect(read("c:5", gap("a:9", "b:0", "epoch"))).toBe("reattach");
  });

  it("follows other gaps and skips forwards only, and only from where it is [READ-5]", () => {
    expect(read("a:4", gap("a:4", "a:8", "retention"))).toBe("a:8");
    expect(read("a:4", skip("a:2", "a:8"))).toBe("a:8");
    expect(read("a:9", gap("a:4", "a:8", "retention"))).toBe("drop");
    expect(read("a:4", skip("a:5", "a:8"))).toBe("drop");
    expect(read("b:4", skip("a:4", "a:8"))).toBe("drop");
  });

  it("follows every gap of a channel that keeps the latest values, also backwards [READ-4]", () => {
    expect(read("a:9", gap("a:9", "a:3", "retention"), "latest")).toBe("a:3");
    expect(read("a:9", skip("a:7", "a:8"), "latest")).toBe("drop");
  });

  it("attaches again where a mark is beyond it [READ-6]", () => {
    expect(read("a:4", mark("a:5"))).toBe("reattach");
    expect(read("a:4", mark("a:4"))).toBe("a:4");
    expect(read("a:4", mark("b:9"))).toBe("drop");
  });
});

// --- generated histories ---------------------------------------------------------------------------------------

type Step =
  | { readonly do: "publish" | "new epoch" | "attach" | "close the older" }
  | { readonly do: "send" | "lose" | "mark" | "hear"; readonly stream: number };

const stream = fc.constantFrom(0, 0, 0, 1);
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constant<Step>({ do: "publish" }) },
    { weight: 10, arbitrary: fc.record({ do: fc.constantFrom("send" as const, "hear" as const), stream }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("lose" as const, "mark" as const), stream }) },
    { weight: 1, arbitrary: fc.constantFrom<Step[]>({ do: "new epoch" }, { do: "close the older" }) },
    { weight: 2, arbitrary: fc.constant<Step>({ do: "attach" }) },
  ),
  { maxLength: 150, size: "max" },
);

interface Stream {
  epoch: string;
  /** What the server has sent on it. */
  offset: number;
  /** The reply to its attach was heard. */
  answered: boolean;
  readonly under: LogEvent[];
}

/** A log with several lives, streams that read it with delay or lose what they carry, and one reader. */
class World {
  epoch = 0;
  head = 0;
  cursor: Position | undefined;
  /** The newest first; two at most, as in a hand-over. */
  streams: Stream[] = [];
  awaiting: Stream | undefined;
  readonly taken: string[] = [];
  /** Where the reader's promise begins in the present epoch. */
  floor = 0;

  run(step: Step): void {
    switch (step.do) {
      case "publish":
        this.head++;
        break;
      case "new epoch":
        this.epoch++;
        this.head = 0;
        break;
      case "attach":
        this.attach();
        break;
      case "close the older":
        this.streams = this.streams.slice(0, 1);
        break;
      case "send":
        this.send(this.streams[step.stream]);
        break;
      case "lose":
        // The reply itself is not lost: then the connection would be.
        if (this.streams[step.stream]?.under[0]?.t === "message") this.streams[step.stream]?.under.shift();
        break;
      case "mark": {
        const marked = this.streams[step.stream];
        if (marked?.epoch === this.name && marked.offset === this.head)
          marked.under.push(mark(`${this.name}:${this.head}`));
        break;
      }
      case "hear":
        this.hear(this.streams[step.stream]);
    }
  }

  get name(): string {
    return `e${this.epoch}`;
  }

  private attach(): void {
    const from = this.cursor;
    const position = from?.epoch === this.name ? from : { epoch: this.name, offset: from ? 0 : this.head };
    const told: Jump | undefined =
      from && from.epoch !== this.name ? { from, to: position, reason: "epoch" } : undefined;
    const opened = {
      epoch: this.name,
      offset: position.offset,
      answered: false,
      under: [attached(`${this.name}:${position.offset}`, told)],
    };
    this.streams = [opened, ...this.streams].slice(0, 2);
    this.awaiting = opened;
  }

  private send(sender: Stream | undefined): void {
    if (!sender) return;
    if (sender.epoch !== this.name) {
      sender.under.push(gap(`${sender.epoch}:${sender.offset}`, `${this.name}:0`, "epoch"));
      Object.assign(sender, { epoch: this.name, offset: 0 });
    } else if (sender.offset < this.head) sender.under.push(message(`${sender.epoch}:${++sender.offset}`));
  }

  private hear(heard: Stream | undefined): void {
    const event = heard?.under.shift();
    if (!heard || !event) return;
    if (event.t === "attached") {
      // The older stream ends when the newer one is there, so its reply never comes behind the newer one's.
      if (heard !== this.streams[0] && this.streams[0]?.answered) return;
      heard.answered = true;
      if (heard === this.awaiting) this.awaiting = undefined;
    }
    const before = this.cursor;
    const verdict = readLog(before, event, "history");
    if (verdict === "reattach" && !this.awaiting) this.attach();
    if (typeof verdict === "string") return;
    this.cursor = verdict;
    if (event.t === "message") this.taken.push(`${verdict.epoch}:${verdict.offset}`);
    else if (verdict.epoch !== before?.epoch) this.floor = verdict.offset;
  }

  /** A last attach, on which nothing is lost. */
  settle(): void {
    this.attach();
    this.streams = this.streams.slice(0, 1);
    for (let quiet = 0; quiet < 3; quiet++) {
      while (this.streams[0] && (this.streams[0].under.length > 0 || this.streams[0].offset < this.head)) {
        this.run({ do: "send", stream: 0 });
        this.run({ do: "hear", stream: 0 });
      }
      this.run({ do: "mark", stream: 0 });
    }
  }
}

it("takes every message once and in order over generated hand-overs, losses and changes of epoch [READ-1, READ-2, READ-3, READ-4, READ-6]", () => {
  fc.assert(
    fc.property(steps, (history) => {
      const world = new World();
      world.run({ do: "attach" });
      for (const step of history) world.run(step);
      world.settle();

      const { taken, name, head, floor } = world;
      expect(new Set(taken).size).toBe(taken.length);
      const present = taken.filter((position) => epochOf(position) === name);
      expect(present).toEqual(
        Array.from({ length: head - floor }, (_, index) => `${name}:${floor + index + 1}`),
      );
    }),
    { numRuns: 3000 },
  );
});
