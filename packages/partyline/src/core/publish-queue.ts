import { PartylineError } from "../protocol/errors.ts";
import type { Context } from "./context.ts";
import type { Appended, AppendOutcome, ChannelSpec, NewMessage } from "./ports.ts";

/** A publish on its way to the broker. */
export interface Publish {
  readonly message: NewMessage;
  /** Must an earlier publish of the same connection be settled first? Asked right before it would be stored. */
  readonly held: (() => boolean) | undefined;
  /** Called exactly once. A refusal may make later publishes of the same connection `held`. */
  settle(outcome: Appended | PartylineError): void;
}

/** Most messages of one `append`. */
const BATCH = 256;

/**
 * The publishes of one channel on their way to the broker: at most one append is under way, what comes meanwhile is
 * the next batch. Nothing is overtaken: a publish that is refused holds those that its connection sent after it.
 */
export class PublishQueue {
  readonly #context: Context;
  readonly #spec: ChannelSpec;
  #waiting: Publish[] = [];
  /** Those of `#waiting` that the broker has refused: told so when what was sent before them has its answer. */
  #refused: Map<Publish, PartylineError> | undefined;
  #busy = false;

  constructor(context: Context, spec: ChannelSpec) {
    this.#context = context;
    this.#spec = spec;
  }

  get idle(): boolean {
    return !this.#busy && this.#waiting.length === 0;
  }

  /** Stores it now, or as soon as the broker has answered what is under way. */
  submit(publish: Publish): void {
    if (this.#waiting.length >= this.#context.limits.pendingPublishes) {
      const error = new PartylineError(
        "overloaded",
        `Too many publishes of "${this.#spec.name}" wait for the broker.`,
        {
          retryAfter: 1,
        },
      );
      return publish.settle(error);
    }
    this.#waiting.push(publish);
    if (!this.#busy) this.#work();
  }

  /** Appends what waits, batch by batch, until nothing does or the broker takes its time. */
  #work(): void {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      if (batch.length === 0) continue;
      const outcome = this.#append(batch);
      if (outcome instanceof Promise) {
        void outcome.then((late) => {
          this.#settle(batch, late);
          this.#work();
        });
        return;
      }
      this.#settle(batch, outcome);
    }
    this.#busy = false;
  }

  #nextBatch(): Publish[] {
    const batch: Publish[] = [];
    let taken = 0;
    for (; taken < this.#waiting.length && batch.length < BATCH; taken++) {
      const publish = this.#waiting[taken];
      if (!publish) continue;
      const refusal = this.#refused?.get(publish);
      if (refusal && batch.length > 0) break;
      if (refusal) this.#refused?.delete(publish);
      if (publish.held?.()) publish.settle(heldError());
      else if (refusal) publish.settle(refusal);
      else batch.push(publish);
    }
    this.#waiting = taken === this.#waiting.length ? [] : this.#waiting.slice(taken);
    return batch;
  }

  /** Never throws or rejects: what the broker threw is *uncertain*, in its place in the outcome. */
  #append(
    batch: readonly Publish[],
  ): AppendOutcome | PartylineError | Promise<AppendOutcome | PartylineError> {
    try {
      const outcome = this.#context.broker.append(
        this.#spec,
        batch.map((publish) => publish.message),
      );
      return outcome instanceof Promise ? outcome.catch((cause: unknown) => this.#uncertain(cause)) : outcome;
    } catch (error) {
      return this.#uncertain(error);
    }
  }

  #uncertain(cause: unknown): PartylineError {
    this.#context.logger.error("append failed", { channel: this.#spec.name, error: String(cause) });
    return new PartylineError("uncertain", "The broker did not say whether the message was stored.", {
      cause,
    });
  }

  #settle(batch: readonly Publish[], outcome: AppendOutcome | PartylineError): void {
    if (outcome instanceof PartylineError) {
      for (const publish of batch) publish.settle(outcome);
      return;
    }
    if (outcome.is === "refused") {
      const refused = batch[outcome.index];
      if (refused) return this.#appendAgain(batch, refused, outcome.error);
    } else if (outcome.results.length === batch.length) {
      let index = 0;
      for (const result of outcome.results) {
        this.#context.metrics.count(result.duplicate ? "duplicates" : "published");
        batch[index++]?.settle(result);
      }
      return;
    }
    this.#settle(batch, this.#uncertain("an answer that does not fit the batch"));
  }

  /** Nothing was stored: all come again, those before the refused one first. */
  #appendAgain(batch: readonly Publish[], refused: Publish, error: PartylineError): void {
    (this.#refused ??= new Map<Publish, PartylineError>()).set(refused, error);
    this.#waiting.unshift(...batch);
  }
}

/** The answer to a publish that waits for an earlier one of its connection. */
export function heldError(): PartylineError {
  return new PartylineError("again", "An earlier publish of this connection on this channel was not stored.");
}
