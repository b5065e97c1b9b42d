import { errorFrame, gapFields } from "../protocol/answer-frames.ts";
import { PartylineError, toPartylineError } from "../protocol/errors.ts";
import {
  type AttachFrame,
  type ClientFrame,
  type DeleteFrame,
  PROTOCOL_VERSION,
  type PublishFrame,
  type ServerFrame,
  type TokenFrame,
} from "../protocol/frames.ts";
import { HELLO_BYTES } from "../protocol/limits.ts";
import { encodeText } from "../protocol/message.ts";
import { formatPosition, parseSince } from "../protocol/position.ts";
import { readClientFrame, type RefusedLine } from "../protocol/read-client-frame.ts";
import type { Channels } from "./channels.ts";
import { type Draft, publishDraft } from "./commands/publish.ts";
import { regrant } from "./commands/token.ts";
import type { Context } from "./context.ts";
import { OPEN_GRANTS } from "./grants.ts";
import { readHello } from "./hello.ts";
import type {
  AttachAnswer,
  Conversation,
  ConversationOptions,
  TalkingConnection,
  Timed,
  Welcome,
} from "./ports.ts";
import { heldError } from "./publish-queue.ts";
import { ChannelReader } from "./reader.ts";
import { Settlement } from "./settlement.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Lines that wait while an attach, a hello or a token is being decided. */
const WAITING_LINES = 1_024;

/**
 * `greeting`: waits for `hello`. `open`: commands are handled as they come. `deciding`: one is under way that those
 * behind it must not overtake; they wait. `ended`: nothing is read any more.
 */
type State = "greeting" | "open" | "deciding" | "ended";

type Command = Exclude<ClientFrame, { t: "hello" }>;

/** Frames of one peer, in their order, each answered. */
export class FrameConversation implements Conversation, Timed {
  readonly #context: Context;
  readonly #channels: Channels;
  readonly #connection: TalkingConnection;
  readonly #options: ConversationOptions;
  readonly #reader: ChannelReader;
  readonly #bucket: TokenBucket;
  readonly #settlement = new Settlement();
  /** Channels on which a publish was not stored: what the peer sent after it waits for its `first`. */
  readonly #held = new Set<string>();
  #state: State = "greeting";
  #greeted = false;
  #waiting: string[] = [];
  #waitingLength = 0;

  constructor(
    context: Context,
    channels: Channels,
    connection: TalkingConnection,
    options: ConversationOptions,
  ) {
    this.#context = context;
    this.#channels = channels;
    this.#connection = connection;
    this.#options = options;
    this.#reader = new ChannelReader(context, channels, connection, OPEN_GRANTS);
    this.#bucket = new TokenBucket(
      context.limits.commandsPerSecond,
      context.limits.commandBurst,
      context.clock.now(),
    );
    if (options.mode === "full") context.wheel.add(this, context.limits.helloTimeout);
    else this.#welcome(options.welcome);
  }

  // --- from the transport -------------------------------------------------------------------------------------

  receive(line: string): void {
    if (this.#state === "ended") return;
    this.#settlement.take();
    if (this.#state === "deciding") this.#wait(line);
    else this.#read(line);
  }

  settled(): Promise<void> | undefined {
    return this.#settlement.wait();
  }

  drained(): void {
    this.#reader.drained();
  }

  closed(): void {
    this.#state = "ended";
    this.#waiting = [];
    this.#reader.closed();
    this.#settlement.finish();
  }

  /** Who has said nothing after the time for `hello` is sent away. */
  expire(): number {
    if (!this.#greeted) this.#end(new PartylineError("unauthorized", "No hello within the time for it."));
    return 0;
  }

  // --- order --------------------------------------------------------------------------------------------------

  #read(line: string): void {
    if (this.#state === "greeting") this.#greet(line);
    else this.#handle(readClientFrame(line));
  }

  #wait(line: string): void {
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    const tooLong = !this.#greeted && this.#waitingLength > HELLO_BYTES;
    if (this.#waiting.length > WAITING_LINES || tooLong)
      this.#end(
        new PartylineError("overloaded", "Too much was sent while an earlier command was being decided."),
      );
  }

  /** Runs what may take its time, and holds back what comes behind it. */
  #decide<T>(task: T | Promise<T>, then: (value: T) => void, failed: (error: unknown) => void): void {
    if (!(task instanceof Promise)) return then(task);
    const before = this.#state;
    this.#state = "deciding";
    const after =
      <Value>(handle: (value: Value) => void) =>
      (value: Value): void => {
        if (this.#state !== "deciding") return;
        this.#state = before;
        handle(value);
        this.#resume();
      };
    task.then(after(then), after(failed));
  }

  #resume(): void {
    while (this.#state === "open" || this.#state === "greeting") {
      const line = this.#waiting.shift();
      if (line === undefined) return;
      this.#waitingLength -= line.length;
      this.#read(line);
    }
  }

  // --- hello --------------------------------------------------------------------------------------------------

  #greet(line: string): void {
    const { mode } = this.#options;
    if (mode !== "full") return;
    const failed = (error: unknown): void => this.#end(toPartylineError(error));
    try {
      if (encodeText(line).length > HELLO_BYTES)
        throw new PartylineError("too-large", `The first frame has at most ${HELLO_BYTES} bytes.`);
      const welcome = readHello(this.#context, line, this.#options.credentials);
      this.#decide(welcome, (known) => this.#settle(() => this.#welcome(known)), failed);
    } catch (error) {
      failed(error);
    }
  }

  #welcome(welcome: Welcome): void {
    this.#greeted = true;
    this.#state = "open";
    this.#reader.grants = welcome.grants;
    const { messageBytes, channelsPerConnection } = this.#context.limits;
    this.#reply({
      t: "welcome",
      v: PROTOCOL_VERSION,
      time: this.#context.broker.time(),
      limits: { messageBytes, channelsPerConnection },
    });
  }

  // --- commands -----------------------------------------------------------------------------------------------

  #handle(frame: ClientFrame | RefusedLine): void {
    if (frame.t === "refused") {
      this.#hold(frame.channel);
      return this.#refuse(frame.n, frame.error);
    }
    if (frame.t === "hello") return this.#refuse(undefined, badFrame("`hello` comes once, first"));
    try {
      const delay = this.#bucket.take(this.#context.clock.now());
      if (delay > 0) throw this.#tooFast(delay);
      this.#command(frame);
    } catch (error) {
      if (frame.t === "publish" || frame.t === "delete") this.#hold(frame.channel);
      this.#refuse(frame.n, error);
    }
  }

  #command(frame: Command): void {
    const { mode } = this.#options;
    const attaches = frame.t === "attach";
    if ((mode === "channels" && !attaches) || (mode === "commands" && attaches))
      throw badFrame(`\`${frame.t}\` has no place in this request`);
    switch (frame.t) {
      case "attach":
        return this.#attach(frame);
      case "detach":
        this.#reader.detach(frame.channel);
        return this.#answer({ t: "result", n: frame.n });
      case "publish":
        return this.#publish(frame, { ...frame, key: frame.key });
      case "delete":
        return this.#publish(frame, { ...frame, kind: "deleted", data: NO_DATA });
      case "token":
        return this.#token(frame);
      case "ping":
        return this.#answer({ t: "pong", n: frame.n });
    }
  }

  #attach(frame: AttachFrame): void {
    const answered = (answer: AttachAnswer): void => {
      this.#answer({
        t: "attached",
        n: frame.n,
        channel: frame.channel,
        c: answer.channel.number,
        position: formatPosition(answer.position),
        head: formatPosition(answer.head),
        replayed: answer.replayed,
        keep: answer.keep,
        ...(answer.gap ? { gap: gapFields(answer.gap) } : {}),
      });
      this.#reader.start(answer.channel.name);
    };
    const attached = this.#reader.attach(frame.channel, parseSince(frame.since));
    this.#decide(attached, answered, (error) => this.#refuse(frame.n, error));
  }

  #publish(frame: PublishFrame | DeleteFrame, draft: Draft): void {
    const channel = this.#channels.get(frame.channel);
    const { name } = channel;
    if (frame.first) this.#held.delete(name);
    if (this.#held.has(name)) throw heldError();
    const by = { grants: this.#reader.grants, held: (): boolean => this.#held.has(name) };
    publishDraft(this.#context, channel, draft, by, (outcome) => {
      if (outcome instanceof PartylineError) {
        this.#held.add(name);
        return this.#refuse(frame.n, outcome);
      }
      const position = formatPosition(outcome.position);
      this.#answer({ t: "result", n: frame.n, position, ...(outcome.duplicate ? { duplicate: true } : {}) });
    });
  }

  #token(frame: TokenFrame): void {
    const options = this.#options;
    const granted = this.#context.authenticator.authenticate({
      token: frame.token,
      header: (name) => (options.mode === "full" ? options.credentials.header(name) : undefined),
    });
    const grant = (grants: Welcome["grants"]): void => {
      regrant(this.#context, this.#reader, grants);
      this.#answer({ t: "result", n: frame.n });
    };
    this.#decide(granted, grant, (error) => this.#refuse(frame.n, error));
  }

  /** Whatever is not stored holds what was sent after it, or that would overtake its repeat. */
  #hold(channel: string | undefined): void {
    if (channel !== undefined) this.#held.add(channel.normalize("NFC"));
  }

  // --- answers ------------------------------------------------------------------------------------------------

  #tooFast(delay: number): PartylineError {
    const { commandsPerSecond } = this.#context.limits;
    return new PartylineError("rate-limited", `More than ${commandsPerSecond} commands a second.`, {
      retryAfter: Math.ceil(delay / 1_000),
    });
  }

  #refuse(n: number | undefined, thrown: unknown): void {
    const error = toPartylineError(thrown);
    if (error.code === "internal") this.#context.logger.error("a command failed", { error: error.cause });
    this.#context.metrics.count("refused", error.code);
    this.#answer(errorFrame(n, error));
  }

  #answer(frame: ServerFrame): void {
    this.#settle(() => this.#reply(frame));
  }

  /** Replies first, so that who waits for the last answer finds it written. */
  #settle(reply: () => void): void {
    reply();
    this.#settlement.answered();
  }

  #reply(frame: ServerFrame): void {
    if (this.#state === "ended") return;
    this.#reader.reply(this.#connection, frame);
  }

  #end(error: PartylineError): void {
    if (this.#state === "ended") return;
    this.#context.metrics.count("refused", error.code);
    this.#connection.close(error);
    this.closed();
  }
}

const NO_DATA = new Uint8Array(0);

function badFrame(problem: string): PartylineError {
  return new PartylineError("bad-frame", `${problem}.`);
}
