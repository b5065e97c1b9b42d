import { expect, it } from "vitest";
import { Schedule } from "./schedule.ts";

function take(schedule: Schedule, now: number): number[] {
  const taken: number[] = [];
  for (let due = schedule.due(now); due !== undefined; due = schedule.due(now)) {
    taken.push(due);
    schedule.take();
  }
  return taken;
}

it("messages are due evenly, and a late one at its own time", () => {
  const schedule = new Schedule(1_000, 10, 0.5);
  expect(take(schedule, 999)).toEqual([]);
  expect(take(schedule, 1_000)).toEqual([1_000]);
  expect(take(schedule, 1_350)).toEqual([1_100, 1_200, 1_300]);
});

it("what could not be sent in time is left out", () => {
  const schedule = new Schedule(0, 10, 0.5);
  expect(take(schedule, 500)).toEqual([]);
  expect([schedule.taken, schedule.end]).toEqual([0, 500]);
});

it("has one message at least", () => {
  expect(take(new Schedule(0, 1, 0.01), 0)).toEqual([0]);
});
