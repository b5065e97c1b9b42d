import type { Typing } from "../message.ts";

/** Somebody who stops without saying so (a closed lid) is taken off after this. */
const LASTS = 5000;

/** Who is typing in a room. Pure but for the time, which is passed in. */
export class TypingList {
  readonly #until = new Map<string, { name: string; until: number }>();

  heard({ by, name, typing }: Typing, now: number): void {
    if (typing) this.#until.set(by, { name, until: now + LASTS });
    else this.#until.delete(by);
  }

  /** They have said something: so they are done. */
  spoke(by: string): void {
    this.#until.delete(by);
  }

  names(now: number): string[] {
    for (const [by, { until }] of this.#until) if (until <= now) this.#until.delete(by);
    return [...this.#until.values()].map(({ name }) => name);
  }
}

/** `Ada is typing`, `Ada and Grace are typing`, `Several people are typing`. */
export function typingSentence(names: readonly string[]): string {
  const [one, two] = names;
  if (one === undefined) return "";
  if (two === undefined) return `${one} is typing`;
  return names.length === 2 ? `${one} and ${two} are typing` : "Several people are typing";
}

/** Says at most every so often that one is typing, and once that one has stopped. */
export class TypingTeller {
  readonly #tell: (typing: boolean) => void;
  #toldAt: number | undefined;

  constructor(tell: (typing: boolean) => void) {
    this.#tell = tell;
  }

  typed(now: number): void {
    if (this.#toldAt !== undefined && now - this.#toldAt < LASTS / 2) return;
    this.#toldAt = now;
    this.#tell(true);
  }

  stopped(): void {
    if (this.#toldAt === undefined) return;
    this.#toldAt = undefined;
    this.#tell(false);
  }
}
