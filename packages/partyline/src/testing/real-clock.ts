import type { Clock } from "../core/ports.ts";

/** Real time, for what runs over real sockets. Its timers keep no process alive. */
export const realClock: Clock = {
  now: () => performance.now(),
  setTimer(fire, delay) {
    const timer = setTimeout(fire, delay);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  nextTurn: (fire) => void setImmediate(fire),
};
