import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { watchPage } from "./page.ts";

function openPage() {
  const clock = createVirtualClock();
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const told: string[] = [];
  /** How long the machine slept while its clock that never goes back stood still. */
  let slept = 0;
  let slowestTimer = 0;
  const stop = watchPage(
    { wake: () => told.push("wake"), leave: () => told.push("leave") },
    {
      window,
      document,
      now: () => clock.now(),
      time: () => 1_000_000 + clock.now() + slept,
      after(ms, run) {
        const timer = clock.setTimer(run, Math.max(ms, slowestTimer));
        return () => timer.cancel();
      },
    },
  );
  return {
    told,
    stop,
    clock,
    fire: (target: "window" | "document", event: string) =>
      (target === "window" ? window : document).dispatchEvent(new Event(event)),
    see: (visibilityState: string) => Object.assign(document, { visibilityState }),
    sleep: (ms: number) => (slept += ms),
    slowTimers: (ms: number) => (slowestTimer = ms),
  };
}

describe("the watch over a page", () => {
  it("wakes the client when the page is seen again, and not when it is hidden", () => {
    const page = openPage();
    page.see("hidden");
    page.fire("document", "visibilitychange");
    expect(page.told).toEqual([]);
    page.see("visible");
    page.fire("document", "visibilitychange");
    expect(page.told).toEqual(["wake"]);
  });

  it("wakes the client when a frozen page goes on", () => {
    const page = openPage();
    page.fire("document", "freeze");
    page.fire("document", "resume");
    expect(page.told).toEqual(["wake"]);
  });

  it("has the client let go when the page is left, and wakes it when the page is shown again", () => {
    const page = openPage();
    page.fire("window", "pagehide");
    page.fire("window", "pageshow");
    expect(page.told).toEqual(["leave", "wake"]);
  });

  it("takes the showing of a page that was just loaded for nothing", () => {
    const page = openPage();
    page.fire("window", "pageshow");
    expect(page.told).toEqual([]);
  });

  it("wakes the client within a second after the machine slept, hidden or not", () => {
    const page = openPage();
    page.clock.advance(10_000);
    page.sleep(300_000);
    page.clock.advance(1_000);
    expect(page.told).toEqual(["wake"]);
    page.see("hidden");
    page.sleep(5_000);
    page.clock.advance(60_000);
    expect(page.told).toEqual(["wake", "wake"]);
  });

  it("wakes the client where only a late timer tells of the sleep", () => {
    const page = openPage();
    page.slowTimers(300_000);
    page.clock.advance(1_000);
    page.clock.advance(300_000);
    expect(page.told).toEqual(["wake"]);
  });

  it("leaves the client alone in a hidden tab, however slow its timers are", () => {
    const page = openPage();
    page.see("hidden");
    page.slowTimers(60_000);
    page.clock.advance(600_000);
    expect(page.told).toEqual([]);
  });

  it("leaves the client alone while the clocks agree", () => {
    const page = openPage();
    page.clock.advance(3_600_000);
    expect(page.told).toEqual([]);
  });

  it("ends when it is stopped", () => {
    const page = openPage();
    page.stop();
    page.fire("window", "pagehide");
    page.fire("window", "pageshow");
    page.fire("document", "visibilitychange");
    page.fire("document", "resume");
    expect([page.told, page.clock.timers]).toEqual([[], 0]);
  });
});
