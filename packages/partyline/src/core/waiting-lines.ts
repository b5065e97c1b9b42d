/** Lines that wait while an attach, a hello or a token is being decided. */
const MOST_LINES = 1_024;

/** What a peer sent behind a command that is still being decided, in its order. */
export class WaitingLines {
  #lines: string[] = [];
  #length = 0;

  add(line: string): void {
    this.#lines.push(line);
    this.#length += line.length;
  }

  /**
   * @param length Characters that may wait.
   * @param share Of that, and of the lines, what is asked about.
   */
  exceeds(length: number, share = 1): boolean {
    return this.#lines.length > MOST_LINES * share || this.#length > length * share;
  }

  next(): string | undefined {
    const line = this.#lines.shift();
    this.#length -= line?.length ?? 0;
    return line;
  }
}
