import type { Duplex } from "node:stream";
import type { Clock } from "../../core/ports.ts";
import type { Conditions, Direction } from "./faults.ts";
import { Wire } from "./wire.ts";

/** What a {@link Relay} is told. */
export interface RelayOptions {
  /** The client's end, and the server's. Both must be allowed to be half open. */
  readonly near: Duplex;
  readonly far: Duplex;
  readonly conditions: Readonly<Record<Direction, Readonly<Conditions>>>;
  readonly clock: Clock;
  /** Does one end do nothing, so that no bytes move? What then becomes of that is told by `changed`. */
  readonly stopped?: () => boolean;
  /** Both ends are gone. */
  readonly gone: (relay: Relay) => void;
}

/** One connection over a line: two streams, and a wire each way. */
export class Relay {
  readonly #near: Duplex;
  readonly #far: Duplex;
  readonly #up: Wire;
  readonly #down: Wire;
  readonly #gone: (relay: Relay) => void;

  constructor({ near, far, conditions, clock, stopped = () => false, gone }: RelayOptions) {
    this.#near = near;
    this.#far = far;
    this.#gone = gone;
    this.#up = new Wire({ source: near, sink: far, conditions: conditions.up, clock, stopped });
    this.#down = new Wire({ source: far, sink: near, conditions: conditions.down, clock, stopped });
    for (const end of [near, far]) {
      end.on("error", () => undefined);
      end.on("close", () => near.destroyed && far.destroyed && gone(this));
    }
  }

  changed(): void {
    this.#up.changed();
    this.#down.changed();
  }

  halfClose(direction: Direction): void {
    (direction === "up" ? this.#up : this.#down).end();
  }

  /** Breaks it, for both ends. */
  destroy(): void {
    this.#up.stop();
    this.#down.stop();
    this.#near.destroy();
    this.#far.destroy();
    this.#gone(this);
  }
}
