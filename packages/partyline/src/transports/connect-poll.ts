import type { ConversationOptions, Engine, Item, Outgoing, TalkingConnection, Timer } from "../core/ports.ts";
import { answerLine, errorFrame } from "../protocol/answer-frames.ts";
import type { PartylineError } from "../protocol/errors.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import { linesFormat } from "./formats.ts";
import { type Body, Pieces } from "./pieces.ts";
import type { Guest, Parting } from "./registry.ts";
import { receiveLines } from "./request-lines.ts";

/** An answer that is this long is given, bytes; what is left comes with the next poll. */
const FULL = 1024 * 1024;

/** How long an answer that is due waits for attaches that the broker has not answered, ms. */
const PATIENCE = 5_000;

/** Collects the frames of one `POST /connect` that is answered as a whole. */
class Answer implements TalkingConnection {
  readonly #engine: Engine;
  readonly #lines = new Pieces();
  #state: "gathering" | "news" | "over" = "gathering";
  /** Called when there is something that the peer waits for, at the end of the turn in which it came. */
  onNews: (() => void) | undefined;
  /** Called when nothing more is gathered. */
  onOver: (() => void) | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get body(): Body {
    return this.#lines.body();
  }

  reply(frame: ServerFrame): boolean {
    this.#lines.add(`${answerLine(frame)}\n`);
    // Where an attach failed or found a gap, the client has something to decide.
    if (frame.t === "error" || (frame.t === "attached" && frame.gap)) this.#news();
    return this.#room();
  }

  write(outgoing: Outgoing): boolean {
    this.#lines.add(outgoing.encoded(linesFormat));
    if (isNews(outgoing.item)) this.#news();
    return this.#room();
  }

  #room(): boolean {
    return this.#lines.length < FULL;
  }

  #news(): void {
    if (this.#state !== "gathering") return;
    this.#state = "news";
    // What comes in one turn is one answer.
    this.#engine.clock.nextTurn(() => this.onNews?.());
  }

  finish(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.onOver?.();
  }

  cork(): void {}

  uncork(): void {}

  close(reason: PartylineError): void {
    if (this.#state === "over") return;
    this.#lines.add(`${JSON.stringify(errorFrame(undefined, reason))}\n`);
    this.finish();
  }
}

/** A mark says that there is nothing new. */
function isNews(item: Item): boolean {
  return item.is !== "mark";
}

type Request = Extract<ConversationOptions, { mode: "channels" | "commands" }>;

/** A long poll under way. */
export interface Poll extends Guest {
  /** Ends it early, with what there is. */
  finish(): void;
  /** Tells with its answer that it should leave. */
  remind(parting: Parting): void;
}

/**
 * A long poll: the frames of the attached channels, as soon as there is one that matters, or after `wait` seconds; but
 * not before all attaches are answered, or a channel with news at each poll would keep the others from ever being
 * attached. `done` is called once, with the answer's lines, and never before this has returned.
 */
export function startPoll(
  engine: Engine,
  welcome: Request["welcome"],
  commands: readonly string[],
  done: (lines: Body) => void,
): Poll {
  const answer = new Answer(engine);
  const conversation = engine.converse(answer, { mode: "channels", welcome });
  const { clock } = engine;
  const finish = (): void => answer.finish();
  let timer: Timer | undefined;
  let received = false;
  let wanted = false;
  const due = (): void => {
    wanted = true;
    if (!received) return;
    const settled = conversation.settled();
    if (!settled) return finish();
    timer?.cancel();
    timer = clock.setTimer(finish, PATIENCE);
    void settled.then(finish);
  };
  timer = clock.setTimer(due, (welcome.wait ?? 0) * 1_000);
  answer.onNews = due;
  answer.onOver = () => {
    timer?.cancel();
    conversation.closed();
    done(answer.body);
  };
  receiveLines(engine, conversation, commands, () => {
    received = true;
    if (wanted) due();
  });
  const remind = ({ within }: Parting): void => void answer.reply({ t: "drain", within });
  return {
    breaks: false,
    finish,
    remind,
    leave(parting) {
      remind(parting);
      answer.finish();
    },
    close: (reason) => answer.close(reason),
  };
}

/** Runs the commands of one body, and calls `done` with their answers when all are there: often at once. */
export function runCommands(
  engine: Engine,
  welcome: Request["welcome"],
  commands: readonly string[],
  done: (lines: Body) => void,
): void {
  const answer = new Answer(engine);
  const conversation = engine.converse(answer, { mode: "commands", welcome });
  const finish = (): void => {
    conversation.closed();
    done(answer.body);
  };
  receiveLines(engine, conversation, commands, () => {
    const settled = conversation.settled();
    if (settled) void settled.then(finish);
    else finish();
  });
}
