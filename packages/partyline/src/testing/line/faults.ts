/** Which way bytes go: `up` to the server, `down` to the client. */
export type Direction = "up" | "down";

/**
 * What can happen to a line between a client and a server. Each fault stays until `mend()`, or until it is set anew;
 * several may be there at once. Where a direction may be named and is not, both are meant, but for `halfClose` and
 * `buffer`, which mean `down`.
 */
export interface Faults {
  /** Breaks every open connection; new ones come through. */
  cut(): void;
  /** Breaks every open connection and refuses new ones. */
  unplug(): void;
  /**
   * Ends one direction of every open connection (TCP's FIN): what follows in it is dropped, the other goes on. New
   * connections are whole.
   */
  halfClose(direction?: Direction): void;
  /**
   * Bytes vanish, and so do ends: nobody is told. A connection that has lost something stays silent for good, also
   * after `mend()`; one opened meanwhile is answered by nobody, and the server does not hear of it.
   */
  blackhole(direction?: Direction): void;
  /** Holds everything back until `mend()`, as a proxy that buffers. Past 256 KiB the sender has to wait. */
  buffer(direction?: Direction): void;
  /** Everything takes so many ms longer. */
  delay(milliseconds: number, direction?: Direction): void;
  /** No more bytes come through in a second than this. */
  throttle(bytesPerSecond: number, direction?: Direction): void;
  /** Cuts what is sent into pieces of so many bytes, by default 1, each in a turn of the event loop of its own. */
  split(bytes?: number, direction?: Direction): void;
  /** Takes `Upgrade` out of requests, as a proxy that knows no WebSockets. */
  stripUpgrade(): void;
  /** Ends all of these; what was held back comes through. */
  mend(): void;
}

/** How one direction of a line is at present. */
export interface Conditions {
  /** `held`: kept until it opens. `lost`: dropped, and nobody is told. */
  passage: "open" | "held" | "lost";
  /** Ms. */
  delay: number;
  bytesPerSecond: number;
  /** Largest piece that is handed on at once, bytes. */
  piece: number;
  /** Does a request lose its `Upgrade`? */
  stripsUpgrade: boolean;
}

const FAULTLESS: Conditions = {
  passage: "open",
  delay: 0,
  bytesPerSecond: Infinity,
  piece: Infinity,
  stripsUpgrade: false,
};

/** A connection that goes over the line. */
export interface Crossing {
  /** The conditions are other ones. */
  changed(): void;
  halfClose(direction: Direction): void;
  /** Breaks it. */
  destroy(): void;
}

/** Faults of one line, and what they are to its connections. */
export interface LineFaults {
  readonly faults: Faults;
  /** False while new connections are refused. */
  readonly plugged: boolean;
  /** Does nothing come through, one way at least? */
  readonly blocked: boolean;
  readonly conditions: Readonly<Record<Direction, Readonly<Conditions>>>;
}

/** Makes the faults of a line that has these connections. */
export function createFaults(connections: Iterable<Crossing>): LineFaults {
  const conditions = { up: { ...FAULTLESS }, down: { ...FAULTLESS } };
  let plugged = true;

  const set = (change: Partial<Conditions>, direction?: Direction): void => {
    if (direction !== "down") Object.assign(conditions.up, change);
    if (direction !== "up") Object.assign(conditions.down, change);
    for (const connection of [...connections]) connection.changed();
  };
  const positive = (what: string, value: number): number => {
    if (value > 0) return value;
    throw new RangeError(`${what} must be more than 0, not ${value}; buffer() lets nothing through.`);
  };

  const faults: Faults = {
    cut() {
      for (const connection of [...connections]) connection.destroy();
    },
    unplug() {
      plugged = false;
      faults.cut();
    },
    halfClose(direction = "down") {
      for (const connection of [...connections]) connection.halfClose(direction);
    },
    blackhole: (direction) => set({ passage: "lost" }, direction),
    buffer: (direction = "down") => set({ passage: "held" }, direction),
    delay: (milliseconds, direction) => set({ delay: milliseconds }, direction),
    throttle: (rate, direction) => set({ bytesPerSecond: positive("The rate", rate) }, direction),
    split: (bytes = 1, direction) => set({ piece: positive("A piece", Math.floor(bytes)) }, direction),
    stripUpgrade: () => set({ stripsUpgrade: true }, "up"),
    mend() {
      plugged = true;
      set(FAULTLESS);
    },
  };
  return {
    faults,
    get plugged() {
      return plugged;
    },
    get blocked() {
      return !plugged || conditions.up.passage !== "open" || conditions.down.passage !== "open";
    },
    conditions,
  };
}

/** Faults that are those of all these lines at once. */
export function joinFaults(lines: Iterable<{ readonly faults: Faults }>): Faults {
  const each = (act: (faults: Faults) => void): void => {
    for (const { faults } of lines) act(faults);
  };
  return {
    cut: () => each((line) => line.cut()),
    unplug: () => each((line) => line.unplug()),
    halfClose: (direction) => each((line) => line.halfClose(direction)),
    blackhole: (direction) => each((line) => line.blackhole(direction)),
    buffer: (direction) => each((line) => line.buffer(direction)),
    delay: (milliseconds, direction) => each((line) => line.delay(milliseconds, direction)),
    throttle: (bytesPerSecond, direction) => each((line) => line.throttle(bytesPerSecond, direction)),
    split: (bytes, direction) => each((line) => line.split(bytes, direction)),
    stripUpgrade: () => each((line) => line.stripUpgrade()),
    mend: () => each((line) => line.mend()),
  };
}
