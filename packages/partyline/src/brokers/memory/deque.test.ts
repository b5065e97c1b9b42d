import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Deque } from "./deque.ts";

describe("a deque", () => {
  it("does what an array does", () => {
    // Runs of pushes and shifts, so that rings grow, wrap around and shrink.
    const runs = fc.array(fc.tuple(fc.boolean(), fc.nat(40)), { maxLength: 30 });
    fc.assert(
      fc.property(runs, (steps) => {
        const deque = new Deque<number>();
        const array: number[] = [];
        let next = 0;
        for (const [push, times] of steps)
          for (let time = 0; time < times; time++) {
            if (push) deque.push(next);
            if (push) array.push(next);
            next += 1;
            expect(push ? undefined : deque.shift()).toBe(push ? undefined : array.shift());
            expect(deque.length).toBe(array.length);
            expect(deque.at(0)).toBe(array[0]);
            expect(deque.at(array.length - 1)).toBe(array.at(-1));
          }
        expect(array.map((_, index) => deque.at(index))).toEqual(array);
        expect([deque.at(-1), deque.at(array.length)]).toEqual([undefined, undefined]);
      }),
    );
  });
});
