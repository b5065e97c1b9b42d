/** What a page tells of its life. */
export interface PageEvents {
  /** The page is looked at again, or the machine slept: what is connected may have died unseen. */
  readonly wake: () => void;
  /** The page is left, and perhaps kept to come back to: a connection must not stay open. */
  readonly leave: () => void;
}

/** What is read of the browser. */
export interface PageWorld {
  readonly window: EventTarget;
  readonly document: EventTarget & { readonly visibilityState: string };
  /** Milliseconds of a clock that never goes back, and that may stand still while the machine sleeps. */
  now(): number;
  /** Milliseconds of the clock on the wall. */
  time(): number;
  /** Calls once after `ms`; the returned function calls it off. */
  after(ms: number, run: () => void): () => void;
}

const browser: PageWorld = {
  window: globalThis,
  get document() {
    return globalThis.document;
  },
  now: () => performance.now(),
  time: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** How often the clocks are compared, ms. */
const TICK = 1000;
/** Clocks that part by more than this, and a timer that is late by more, tell of a sleep, ms. */
const SLEEP = 2000;

/** Listens until the returned function is called. */
export function watchPage({ wake, leave }: PageEvents, world: PageWorld = browser): () => void {
  const { window, document } = world;
  const isSeen = (): boolean => document.visibilityState === "visible";
  let at = world.now();
  let apart = world.time() - at;

  const tick = (): void => {
    const late = world.now() - at - TICK;
    at = world.now();
    const parted = Math.abs(world.time() - at - apart);
    apart = world.time() - at;
    // The timers of a hidden tab are late all the time. Where the tab is seen again, that is told.
    if (parted > SLEEP || (late > SLEEP && isSeen())) wake();
    stop = world.after(TICK, tick);
  };
  let stop = world.after(TICK, tick);

  let left = false;
  const listeners: [EventTarget, string, () => void][] = [
    [document, "visibilitychange", () => isSeen() && wake()],
    [document, "resume", wake],
    [
      window,
      "pagehide",
      () => {
        left = true;
        leave();
      },
    ],
    // Also comes once when a page has been loaded.
    [window, "pageshow", () => left && wake()],
  ];
  for (const [target, event, listener] of listeners) target.addEventListener(event, listener);
  return () => {
    stop();
    for (const [target, event, listener] of listeners) target.removeEventListener(event, listener);
  };
}
