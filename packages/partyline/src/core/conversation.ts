import { resultFrame } from "../protocol/answer-frames.ts";
import { normalForm } from "../protocol/channel-name.ts";
import { PartylineError, toPartylineError } from "../protocol/errors.ts";
import {
  type AttachFrame,
  type ClientFrame,
  type DeleteFrame,
  PROTOCOL_VERSION,
  type PublishFrame,
  type TokenFrame,
} from "../protocol/frames.ts";
import { connectFrameBytes, HELLO_BYTES } from "../protocol/limits.ts";
import { readClientFrame, type RefusedLine } from "../protocol/read-client-frame.ts";
import { Answers } from "./answers.ts";
import type { Channels } from "./channels.ts";
import { attachedFrame, paceOf, sinceOf } from "./commands/attach.ts";
import { type Draft, publishDraft } from "./commands/publish.ts";
import { regrant } from "./commands/token.ts";
import type { Context } from "./context.ts";
import { OPEN_GRANTS } from "./grants.ts";
import { HeldChannels } from "./held-channels.ts";
import { HelloDeadline, readHello } from "./hello.ts";
import type { AttachAnswer, Conversation, ConversationOptions, TalkingConnection, Welcome } from "./ports.ts";
import { heldError } from "./publish-queue.ts";
import { ChannelReader } from "./reader.ts";
import { TokenBucket } from "./token-bucket.ts";
import { WaitingLines } from "./waiting-lines.ts";

/** How much may wait while an attach or a token is being decided, in frames of the largest size. */
const WAITING_FRAMES = 4;
/** Above this share of it the peer is read no further; a chunk that was read already may still come. */
const STEM_SHARE = 1 / 4;

/**
 * `greeting`: waits for `hello`. `open`: commands are handled as they come. `deciding`: one is under way that those
 * behind it must not overtake; they wait. `ended`: nothing is read any more.
 */
type State = "greeting" | "open" | "deciding" | "ended";

type Command = Exclude<ClientFrame, { t: "hello" }>;

/** Frames of one peer, in their order, each answered. */
export class FrameConversation implements Conversation {
  readonly #context: Context;
  readonly #channels: Channels;
  readonly #connection: TalkingConnection;
  readonly #options: ConversationOptions;
  readonly #reader: ChannelReader;
  /** Absent if the transport reads no more commands than the rate allows. */
  readonly #bucket: TokenBucket | undefined;
  readonly #answers: Answers;
  // Made when they are needed: mostly that is never, and a connection is to cost little.
  #waiting: WaitingLines | undefined;
  #held: HeldChannels | undefined;
  /** Is the peer read no further, until what waits has been handled? */
  #stemmed = false;
  #state: State = "greeting";
  /** Until `hello` has come. */
  #deadline: HelloDeadline | undefined;
  /** Commands read, each of which has the number up to there as its place. */
  #places = 0;

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
    this.#answers = new Answers(context, options.mode === "commands", this.#reader, connection);
    if (options.mode === "full") {
      this.#deadline = new HelloDeadline(() =>
        this.#end(new PartylineError("unauthorized", "No hello within the time for it.")),
      );
      context.wheel.add(this.#deadline, context.limits.helloTimeout);
    } else {
      const { commandsPerSecond, commandBurst } = context.limits;
      this.#bucket = new TokenBucket(commandsPerSecond, commandBurst, context.clock.now());
      this.#answers.expect();
      this.#welcome(options.welcome);
    }
  }

  // --- from the transport -------------------------------------------------------------------------------------

  receive(line: string): void {
    if (this.#state === "ended") return;
    this.#answers.expect();
    if (this.#state === "deciding") this.#wait(line);
    else this.#read(line);
  }

  settled(): Promise<void> | undefined {
    return this.#answers.settled();
  }

  drained(): void {
    this.#reader.drained();
  }

  closed(): void {
    this.#state = "ended";
    this.#deadline?.release();
    this.#waiting = undefined;
    this.#reader.closed();
    this.#answers.finish();
  }

  // --- order --------------------------------------------------------------------------------------------------

  #read(line: string): void {
    if (this.#state === "greeting") this.#greet(line);
    else this.#handle(readClientFrame(line), ++this.#places);
  }

  #wait(line: string): void {
    const waiting = (this.#waiting ??= new WaitingLines());
    waiting.add(line);
    const most = this.#deadline ? HELLO_BYTES : WAITING_FRAMES * connectFrameBytes(this.#context.limits);
    if (waiting.exceeds(most))
      this.#end(
        new PartylineError("overloaded", "Too much was sent while an earlier command was being decided."),
      );
    else if (!this.#stemmed && waiting.exceeds(most, STEM_SHARE)) this.#stem(true);
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
        try {
          handle(value);
        } catch (error) {
          // Else it would be a rejection that nobody handles, which ends the process.
          failed(error);
        }
        this.#resume();
      };
    task.then(after(then), after(failed));
  }

  #resume(): void {
    while (this.#state === "open" || this.#state === "greeting") {
      const line = this.#waiting?.next();
      if (line === undefined) {
        this.#waiting = undefined;
        if (this.#stemmed) this.#stem(false);
        return;
      }
      this.#read(line);
    }
  }

  /** Who comes back sends all that is unsettled behind its attaches: more than may wait is left to the network. */
  #stem(stemmed: boolean): void {
    this.#stemmed = stemmed;
    this.#connection.stem?.(stemmed);
  }

  // --- hello --------------------------------------------------------------------------------------------------

  #greet(line: string): void {
    const { mode } = this.#options;
    if (mode !== "full") return;
    const failed = (error: unknown): void => this.#end(toPartylineError(error));
    try {
      const welcome = readHello(this.#context, line, this.#options.credentials);
      this.#decide(welcome, (known) => this.#welcome(known), failed);
    } catch (error) {
      failed(error);
    }
  }

  #welcome(welcome: Welcome): void {
    this.#deadline?.release();
    this.#deadline = undefined;
    this.#state = "open";
    this.#reader.grants = welcome.grants;
    const { messageBytes, channelsPerConnection } = this.#context.limits;
    this.#answers.welcome({
      t: "welcome",
      v: PROTOCOL_VERSION,
      time: this.#context.broker.time(),
      limits: { messageBytes, channelsPerConnection },
    });
  }

  // --- commands -----------------------------------------------------------------------------------------------

  #handle(frame: ClientFrame | RefusedLine, place: number): void {
    const n = "n" in frame ? frame.n : undefined;
    try {
      this.#pace();
      if (frame.t === "refused") throw frame.error;
      if (frame.t === "hello") throw badFrame("`hello` comes once, first");
      this.#command(frame, place);
    } catch (error) {
      if (frame.t === "publish" || frame.t === "delete" || frame.t === "refused")
        this.#hold(frame.channel, place);
      this.#answers.refuse(place, n, error);
    }
  }

  /** @throws PartylineError `rate-limited`, whatever the line holds: what is no frame costs as much. */
  #pace(): void {
    const delay = this.#bucket?.take(this.#context.clock.now()) ?? 0;
    if (delay === 0) return;
    const { commandsPerSecond } = this.#context.limits;
    throw new PartylineError("rate-limited", `More than ${commandsPerSecond} commands a second.`, {
      retryAfter: Math.ceil(delay / 1_000),
    });
  }

  #command(frame: Command, place: number): void {
    const { mode } = this.#options;
    const attaches = frame.t === "attach";
    if ((mode === "channels" && !attaches) || (mode === "commands" && attaches))
      throw badFrame(`\`${frame.t}\` has no place in this request`);
    switch (frame.t) {
      case "attach":
        return this.#attach(frame, place);
      case "detach":
        this.#reader.detach(normalForm(frame.channel) ?? "");
        return this.#answers.give(place, { t: "result", n: frame.n });
      case "publish":
        return this.#publish(frame, frame, place);
      case "delete":
        return this.#publish(frame, { ...frame, kind: "deleted", data: NO_DATA }, place);
      case "token":
        return this.#token(frame, place);
      case "ping":
        return this.#answers.give(place, { t: "pong", n: frame.n });
    }
  }

  #attach(frame: AttachFrame, place: number): void {
    this.#connection.admit?.();
    const answered = (answer: AttachAnswer): void => {
      this.#answers.give(place, attachedFrame(frame, answer));
      this.#reader.start(answer.channel.name);
    };
    const options = this.#options;
    const wait = options.mode === "channels" ? options.welcome.wait : undefined;
    const since = sinceOf(frame);
    const attached = this.#reader.attach(frame.channel, since, paceOf(frame, since, wait));
    this.#decide(attached, answered, (error) => this.#answers.refuse(place, frame.n, error));
  }

  #publish(frame: PublishFrame | DeleteFrame, draft: Draft, place: number): void {
    const channel = this.#channels.get(frame.channel);
    const { name } = channel;
    if (frame.first) this.#held?.release(name);
    const held = (): boolean => this.#held?.holds(name, place) === true;
    if (held()) throw heldError();
    publishDraft(this.#context, channel, draft, { grants: this.#reader.grants, held }, (outcome) => {
      if (outcome instanceof PartylineError) {
        this.#hold(name, place);
        return this.#answers.refuse(place, frame.n, outcome);
      }
      this.#answers.give(place, resultFrame(frame.n, outcome));
    });
  }

  #token(frame: TokenFrame, place: number): void {
    const options = this.#options;
    const granted = this.#context.authenticate({
      token: frame.token,
      header: (name) => (options.mode === "full" ? options.credentials.header(name) : undefined),
    });
    const grant = (grants: Welcome["grants"]): void => {
      regrant(this.#context, this.#reader, grants);
      this.#answers.give(place, { t: "result", n: frame.n });
    };
    this.#decide(granted, grant, (error) => this.#answers.refuse(place, frame.n, error));
  }

  /** Whatever is not stored holds what was sent after it, or that would overtake its repeat. */
  #hold(channel: string | undefined, place: number): void {
    if (channel === undefined) return;
    const held = (this.#held ??= new HeldChannels());
    held.hold(channel, place);
    if (held.tooMany)
      this.#end(new PartylineError("overloaded", "Publishes were refused on too many channels at once."));
  }

  #end(error: PartylineError): void {
    if (this.#state === "ended") return;
    if (error.code === "internal") this.#context.failures.report("a connection failed", error.cause ?? error);
    this.#context.metrics.count("refused", error.code);
    this.#connection.close(error);
    this.closed();
  }
}

const NO_DATA = new Uint8Array(0);

function badFrame(problem: string): PartylineError {
  return new PartylineError("bad-frame", `${problem}.`);
}
