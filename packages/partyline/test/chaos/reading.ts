/** One that reads. */
export interface Reading {
  readonly channel: string;
  /** Where it stands. */
  readonly position: string | undefined;
  end(): void;
  pause(): void;
  resume(): void;
  /** No more pauses between messages. */
  hurry(): void;
}
