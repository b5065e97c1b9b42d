import { isIPv4, isIPv6 } from "node:net";
import type { Logger } from "../core/ports.ts";
import { PartylineError } from "../protocol/errors.ts";
import { isLoopbackAddress } from "../protocol/host.ts";
import type { Limits } from "../protocol/limits.ts";
import type { Seat } from "../transports/seat.ts";

/** Seconds after which somebody who found no seat may ask again. */
const RETRY_AFTER = 10;

/** Counts the connections of one address; one for all of them, so that a connection keeps no address. */
class AddressSeat implements Seat {
  readonly #leave: (seat: AddressSeat) => void;
  readonly address: string | undefined;
  taken = 0;

  constructor(address: string | undefined, leave: (seat: AddressSeat) => void) {
    this.address = address;
    this.#leave = leave;
  }

  leave(): void {
    this.#leave(this);
  }
}

/** How many connections there may be, in all and from one address. */
export class Admission {
  readonly #limits: Limits;
  readonly #logger: Logger;
  readonly #seats = new Map<string, AddressSeat>();
  /** Those whose address does not count: loopback, or unknown. */
  readonly #uncounted: AddressSeat;
  readonly #unknown: AddressSeat;
  #total = 0;
  #warned = false;

  constructor(limits: Limits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
    this.#uncounted = new AddressSeat(undefined, () => void this.#total--);
    this.#unknown = new AddressSeat(undefined, (seat) => void seat.taken--);
  }

  get total(): number {
    return this.#total;
  }

  /**
   * A seat for a connection from this address.
   *
   * @param forwarded Did a proxy say that it asks for somebody else?
   * @throws PartylineError `too-many-connections`
   */
  enter(address: string | undefined, forwarded: boolean): Seat {
    if (this.#total >= this.#limits.connections) throw tooMany(`${this.#limits.connections} in all`);
    const counted = address === undefined ? undefined : countedAddress(address);
    if (counted === undefined) {
      this.#total++;
      return this.#uncounted;
    }
    if (forwarded) this.#warn();
    const seat = this.#seats.get(counted) ?? new AddressSeat(counted, (own) => this.#left(own));
    const { connectionsPerAddress } = this.#limits;
    if (seat.taken >= connectionsPerAddress) throw tooMany(`${connectionsPerAddress} from one address`);
    seat.taken++;
    this.#total++;
    this.#seats.set(counted, seat);
    return seat;
  }

  /**
   * A seat among those that have not said who they are.
   *
   * @throws PartylineError `too-many-connections`
   */
  enterUnknown(): Seat {
    const { unauthenticatedConnections } = this.#limits;
    if (this.#unknown.taken >= unauthenticatedConnections)
      throw tooMany(`${unauthenticatedConnections} that have not said hello`);
    this.#unknown.taken++;
    return this.#unknown;
  }

  #left(seat: AddressSeat): void {
    this.#total--;
    if (--seat.taken === 0 && seat.address !== undefined) this.#seats.delete(seat.address);
  }

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#logger.warn("a proxy's connections count as one address: raise limits.connectionsPerAddress", {
      limit: this.#limits.connectionsPerAddress,
    });
  }
}

function tooMany(which: string): PartylineError {
  return new PartylineError("too-many-connections", `There are ${which} already.`, {
    retryAfter: RETRY_AFTER,
  });
}

/** The name by which an address is counted: an IPv6 address by its /64; `undefined` for loopback. */
export function countedAddress(address: string): string | undefined {
  const plain =
    address.toLowerCase().startsWith("::ffff:") && isIPv4(address.slice(7)) ? address.slice(7) : address;
  if (isLoopbackAddress(plain)) return undefined;
  if (!isIPv6(plain)) return plain;
  return `${firstGroups(plain).join(":")}::/64`;
}

function firstGroups(address: string): string[] {
  const [left = "", right] = (address.split("%", 1)[0] ?? "").split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const zeros = right === undefined ? 0 : Math.max(8 - head.length - tail.length, 0);
  const groups = [...head, ...Array.from({ length: zeros }, () => "0"), ...tail];
  return groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
}
