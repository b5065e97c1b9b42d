import { expect, it } from "vitest";
import { pairedRatio } from "./ratio.ts";

it("nine pairs give the second and the eighth ratio as an interval of 96 %", () => {
  const ratios = [1.3, 0.9, 1.1, 1, 1.2, 0.8, 1.4, 0.7, 1.5];
  const { median, low, high, confidence } = pairedRatio(ratios);
  expect([median, low, high]).toEqual([1.1, 0.8, 1.4]);
  expect(confidence).toBeCloseTo(1 - 20 / 512, 10);
});

it("twenty pairs leave out as many ratios at each end as 90 % confidence allows", () => {
  const { low, high, confidence } = pairedRatio(Array.from({ length: 20 }, (_, index) => index));
  expect([low, high]).toEqual([5, 14]);
  expect(confidence).toBeGreaterThanOrEqual(0.9);
});

it("fewer than five pairs report a confidence below 90 %", () => {
  const { low, high, confidence } = pairedRatio([1.1, 0.9, 1]);
  expect([low, high, confidence]).toEqual([0.9, 1.1, 0.75]);
});
