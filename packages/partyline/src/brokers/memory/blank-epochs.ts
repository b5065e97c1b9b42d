/** Groups of names; a group has one epoch for all its channels that were never published to. */
const GROUPS = 2 ** 16;

/**
 * Epochs of channels that were never published to. Such channels cost nothing while nobody listens: they share epochs.
 *
 * A channel that is forgotten with its messages must begin a later epoch when it comes again, so its group then gets
 * another epoch. There are many groups, because a position `e:0` of another channel of the group then becomes a gap.
 */
export class BlankEpochs {
  readonly #next: (now: number) => string;
  readonly #byGroup: Map<number, string> = new Map<number, string>();

  constructor(next: (now: number) => string) {
    this.#next = next;
  }

  /** The epoch in which a channel of this name begins. */
  of(name: string, now: number): string {
    return this.#byGroup.get(groupOf(name)) ?? this.renew(name, now);
  }

  /** Makes a later epoch, in which a channel of this name begins from now on. */
  renew(name: string, now: number): string {
    const epoch = this.#next(now);
    this.#byGroup.set(groupOf(name), epoch);
    return epoch;
  }
}

/** FNV-1a. */
function groupOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++)
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return (hash ^ (hash >>> 16)) & (GROUPS - 1);
}
