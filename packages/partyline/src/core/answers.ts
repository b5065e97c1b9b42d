import { errorFrame } from "../protocol/answer-frames.ts";
import { toPartylineError } from "../protocol/errors.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import { AnswerOrder } from "./answer-order.ts";
import type { Context } from "./context.ts";
import type { Output } from "./output.ts";
import type { TalkingConnection } from "./ports.ts";
import { Settlement } from "./settlement.ts";

/** The answers of one conversation: one for each line, told by its place among them. */
export class Answers {
  readonly #context: Context;
  readonly #output: Output;
  readonly #connection: TalkingConnection;
  readonly #order: AnswerOrder | undefined;
  readonly #settlement = new Settlement();

  /** @param ordered Does each answer wait for those to the lines before? */
  constructor(context: Context, ordered: boolean, output: Output, connection: TalkingConnection) {
    this.#context = context;
    this.#output = output;
    this.#connection = connection;
    this.#order = ordered ? new AnswerOrder() : undefined;
  }

  /** A line came, and will be answered. */
  expect(): void {
    this.#settlement.take();
  }

  /** Resolves when none is owed; `undefined` where that is so already. */
  settled(): Promise<void> | undefined {
    return this.#settlement.wait();
  }

  /** None will follow. */
  finish(): void {
    this.#settlement.finish();
  }

  /** To the line that opened the conversation, which has no place among the commands. */
  welcome(frame: ServerFrame): void {
    this.#reply(frame);
    this.#settlement.answered();
  }

  #reply(frame: ServerFrame): void {
    this.#output.reply(this.#connection, frame);
  }

  give(place: number, frame: ServerFrame): void {
    if (this.#order) for (const due of this.#order.take(place, frame)) this.#reply(due);
    else this.#reply(frame);
    // Last, so that who waits for it finds it written.
    this.#settlement.answered();
  }

  refuse(place: number, n: number | undefined, thrown: unknown): void {
    const error = toPartylineError(thrown);
    if (error.code === "internal") this.#context.failures.report("a command failed", error.cause ?? error);
    this.#context.metrics.count("refused", error.code);
    this.give(place, errorFrame(n, error));
  }
}
