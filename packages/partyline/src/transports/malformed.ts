/** What a peer sent is no WebSocket protocol, or more than is allowed. */
export class Malformed extends Error {
  /** The close code to tell it with. */
  readonly close: number;

  constructor(close: number, problem: string) {
    super(problem);
    this.close = close;
  }
}
