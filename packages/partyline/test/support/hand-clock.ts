import type { Clock } from "../../src/core/ports.ts";
import { createVirtualClock } from "../../src/testing/virtual-clock.ts";

/** A clock whose turns are real and whose time passes by hand; `perLook` ms pass with each look at it too. */
export function createHandClock(perLook = 0): Clock & { advance(milliseconds: number): void } {
  const virtual = createVirtualClock();
  let looked = 0;
  return {
    now: () => virtual.now() + (looked += perLook),
    setTimer: (fire, delay) => virtual.setTimer(fire, delay),
    nextTurn: (fire) => void setImmediate(fire),
    advance: (milliseconds) => virtual.advance(milliseconds),
  };
}
