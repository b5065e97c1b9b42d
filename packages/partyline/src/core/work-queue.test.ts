import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { WorkQueue } from "./work-queue.ts";

/** A queue, and a clock whose turns end one by one. */
function createRig() {
  const virtual = createVirtualClock();
  let due: (() => void)[] = [];
  const failed: unknown[] = [];
  const queue = new WorkQueue(
    { ...virtual, nextTurn: (fire) => void due.push(fire) },
    { report: (_what, error) => void failed.push(error) },
  );
  return {
    queue,
    failed,
    pass: (milliseconds: number) => virtual.advance(milliseconds),
    get turns() {
      return due.length;
    },
    turn: (): void => {
      const ended = due;
      due = [];
      for (const fire of ended) fire();
    },
  };
}

describe("work in one turn of the event loop", () => {
  it("is over for a peer after 5 ms, and for all after 10 ms", () => {
    const { queue, pass, turn } = createRig();
    for (let peer = 0; peer < 2; peer++) {
      expect(queue.begin()).toBe(true);
      pass(4);
      expect(queue.over).toBe(false);
      pass(1);
      expect(queue.over).toBe(true);
    }
    expect(queue.begin()).toBe(false);
    turn();
    expect(queue.begin()).toBe(true);
  });

  it("that is put off is done in a later turn, in its order", () => {
    const { queue, turn } = createRig();
    const done: string[] = [];
    queue.later(() => done.push("a"));
    queue.later(() => {
      done.push("b");
      queue.later(() => done.push("b again"));
    });
    expect(done).toEqual([]);
    turn();
    expect(done).toEqual(["a", "b"]);
    turn();
    expect(done).toEqual(["a", "b", "b again"]);
  });

  it("that was not begun keeps its place before work that was put off again", () => {
    const { queue, turn, pass } = createRig();
    const done: string[] = [];
    const work = (name: string) => (): void => {
      done.push(name);
      pass(6);
      if (done.length < 6) queue.later(work(name));
    };
    for (const name of ["a", "b", "c"]) queue.later(work(name));
    for (let count = 0; count < 3; count++) turn();
    expect(done).toEqual(["a", "b", "c", "a", "b", "c"]);
  });

  it("that waits leaves the turn's time to work that arrives", () => {
    const { queue, turn, pass } = createRig();
    const slow = (): void => {
      pass(20);
      queue.later(slow);
    };
    queue.later(slow);
    turn();
    expect(queue.begin()).toBe(true);
  });

  it("that fails does not keep other work from its turn", () => {
    const { queue, turn, failed } = createRig();
    const done: string[] = [];
    queue.later(() => {
      throw new Error("broken");
    });
    queue.later(() => done.push("b"));
    turn();
    expect(done).toEqual(["b"]);
    expect(failed).toEqual([new Error("broken")]);
  });

  it("asks for no turn if there is none", () => {
    const rig = createRig();
    rig.queue.begin();
    rig.turn();
    expect(rig.turns).toBe(0);
  });
});
