import { describe, expect, it } from "vitest";
import { clockFace, placeOf } from "../src/page/match-clock.ts";

describe("a match's clock", () => {
  it("counts the minute that is being played", () => {
    expect(clockFace("first half", 0, 90, false).text).toBe("1′");
    expect(clockFace("first half", 8.5 * 60, 90, false).text).toBe("9′");
    expect(clockFace("second half", 0, 90, false).text).toBe("46′");
    expect(clockFace("extra time, second half", 14 * 60, 120, false).text).toBe("120′");
  });

  it("counts added time apart", () => {
    expect(clockFace("first half", 45 * 60, 90, false).text).toBe("45+1′");
    expect(clockFace("second half", 51.5 * 60, 90, false).text).toBe("90+7′");
  });

  it("shows seconds at the pace of life", () => {
    expect(clockFace("first half", 487, 90, true).text).toBe("8:07");
    expect(clockFace("second half", 46 * 60 + 5, 90, true).text).toBe("90:00 +1:05");
  });

  it("says what a pause is", () => {
    expect(clockFace("half-time", 30, 90, false)).toEqual({ text: "Half-time", running: false, played: 0.5 });
    expect(clockFace("over", 0, 120, false)).toEqual({ text: "Full time", running: false, played: 1 });
  });

  it("does not run past the end of a half on the line", () => {
    expect(clockFace("first half", 50 * 60, 90, false).played).toBe(0.5);
    expect(placeOf("45+5", 90)).toBe(0.5);
    expect(placeOf("111", 120)).toBeCloseTo(0.925);
  });
});
