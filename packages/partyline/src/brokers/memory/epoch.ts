const RANDOMS = 36 ** 4;

/**
 * Names lives of logs: 8 characters of time and 4 random ones, in base 36, compared as strings. Each is greater than
 * all before it, also when the clock stands still or goes back: the later life must win.
 */
export function createEpochs(random: () => number): (now: number) => string {
  let lastTime = 0;
  let lastRandom = -1;
  return (now) => {
    let time = Math.max(0, Math.floor(now));
    let part = Math.floor(random() * RANDOMS);
    if (time < lastTime || (time === lastTime && part <= lastRandom)) {
      time = lastTime;
      part = lastRandom + 1;
    }
    if (part >= RANDOMS) {
      time += 1;
      part = 0;
    }
    lastTime = time;
    lastRandom = part;
    return time.toString(36).padStart(8, "0") + part.toString(36).padStart(4, "0");
  };
}
