import { expect, it } from "vitest";
import { parseHostTime } from "./usage.ts";

it("what a host gave to others is a part of what all cores had, in which guests are not counted twice", () => {
  const stat = "cpu  100 20 30 400 5 6 7 32 90 10\ncpu0 50 10 15 200 2 3 4 16 45 5\n";
  expect(parseHostTime(stat)).toEqual({ all: 600, stolen: 32 });
});
