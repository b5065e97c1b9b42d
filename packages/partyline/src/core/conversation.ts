import { errorFrame, gapFields } from "../protocol/answer-frames.ts";
import { PartylineError, toPartylineError } from "../protocol/errors.ts";
import type {
  AttachFrame,
  ClientFrame,
  DeleteFrame,
  GapFields,
  PublishFrame,
  TokenFrame,
} from "../protocol/frames.ts";
import { PROTOCOL_VERSION } from "../protocol/frames.ts";
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
  Appended,
  AttachAnswer,
  Conversation,
  ConversationOptions,
  TalkingConnection,
  Timed,
  Welcome,
} from "./ports.ts";
import { heldError } from "./publish-queue.ts";
import { ChannelReader } from "./reader.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Commands that wait while an attach, a hello or a token is being decided. */
const WAITING_LINES = 1_024;

/**
 * `greeting`: waits for `hello`. `open`: commands are handled as they come. `deciding`: one is under way that those
 * behind it must not overtake; they wait. `ended`: nothing is read any more.
 */
type State = "greeting" | "open" | "deciding" | "ended";

/** Frames of one peer, in their order, each answered. */
export class FrameConversation implements Conversation, Timed {
  readonly #context: Context;
  readonly #channels: Channels;
  readonly #connection: TalkingConnection;
  readonly #options: ConversationOptions;
  readonly #reader: ChannelReader;
  readonly #bucket: TokenBucket;
  /** Channels on which a publish was not stored: what the peer sent after it waits for its `first`. */
  readonly #held = new Set<string>();
  #state: State;
  #greeted: boolean;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Commands that were taken and not answered yet. */
  #open = 0;
  #settled: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(
    context: Context,
    channels: Channels,
    connection: TalkingConnection,
    options: ConversationOptions,
  ) {
    const grants = options.mode === "full" ? OPEN_GRANTS : options.welcome.grants;
    this.#context = context;
    this.#channels = channels;
    this.#connection = connection;
    this.#options = options;
    this.#reader = new ChannelReader(context, channels, connection, grants);
    this.#bucket = new TokenBucket(
      context.limits.commandsPerSecond,
      context.limits.commandBurst,
      context.clock.now(),
    );
    this.#greeted = options.mode !== "full";
    this.#state = this.#greeted ? "open" : "greeting";
    if (this.#greeted) this.#welcome();
    else context.wheel.add(this, context.limits.helloTimeout);
  }

  // --- from the transport -------------------------------------------------------------------------------------

  receive(line: string): void {
    switch (this.#state) {
      case "ended":
        return;
      case "deciding":
        return this.#wait(line);
      case "greeting":
        return this.#greet(line);
      case "open":
        return this.#handle(readClientFrame(line));
    }
  }

  settled(): Promise<void> | undefined {
    if (this.#open === 0 && this.#waiting.length === 0) return undefined;
    if (!this.#settled) {
      let resolve = (): void => {};
      const promise = new Promise<void>((done) => (resolve = done));
      this.#settled = { promise, resolve };
    }
    return this.#settled.promise;
  }

  drained(): void {
    this.#reader.drained();
  }

  closed(): void {
    this.#state = "ended";
    this.#waiting = [];
    this.#reader.closed();
    this.#checkSettled();
  }

  /** Who has said nothing after the time for `hello` is sent away. */
  expire(): number {
    if (!this.#greeted && this.#state !== "ended")
      this.#end(new PartylineError("unauthorized", "No hello within the time for it."));
    return 0;
  }

  // --- order --------------------------------------------------------------------------------------------------

  #wait(line: string): void {
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    const bytes = this.#greeted ? Number.POSITIVE_INFINITY : HELLO_BYTES;
    if (this.#waiting.length <= WAITING_LINES && this.#waitingBytes <= bytes) return;
    this.#end(
      new PartylineError("overloaded", "Too much was sent while an earlier command was being decided."),
    );
  }

  /** Runs what may take its time, and holds back what comes behind it. */
  #decide<T>(n: number | undefined, task: T | Promise<T>, then: (value: T) => void): void {
    if (!(task instanceof Promise)) return then(task);
    this.#state = "deciding";
    task
      .then((value) => {
        if (this.#state === "deciding") this.#state = "open";
        if (this.#state === "open") then(value);
      })
      .catch((error: unknown) => {
        if (this.#state === "deciding") this.#state = "open";
        this.#refuse(n, error);
      })
      .finally(() => this.#resume());
  }

  #resume(): void {
    while (this.#state === "open" || this.#state === "greeting") {
      const line = this.#waiting.shift();
      if (line === undefined) break;
      this.#waitingBytes -= line.length;
      this.receive(line);
    }
    this.#checkSettled();
  }

  #checkSettled(): void {
    if (this.#state !== "ended" && (this.#open > 0 || this.#waiting.length > 0)) return;
    this.#settled?.resolve();
    this.#settled = undefined;
  }

  // --- hello --------------------------------------------------------------------------------------------------

  #greet(line: string): void {
    if (this.#options.mode !== "full") return;
    if (encodeText(line).length > HELLO_BYTES)
      return this.#end(new PartylineError("too-large", `The first frame has at most ${HELLO_BYTES} bytes.`));
    try {
      const welcome = readHello(this.#context, line, this.#options.credentials);
      if (!(welcome instanceof Promise)) return this.#greet2(welcome);
      this.#state = "deciding";
      welcome.then(
        (late) => {
          if (this.#state !== "deciding") return;
          this.#greet2(late);
          this.#resume();
        },
        (error: unknown) => this.#end(toPartylineError(error)),
      );
    } catch (error) {
      this.#end(toPartylineError(error));
    }
  }

  #greet2(welcome: Welcome): void {
    this.#greeted = true;
    this.#state = "open";
    this.#reader.grants = welcome.grants;
    this.#welcome();
  }

  #welcome(): void {
    const { messageBytes, channelsPerConnection } = this.#context.limits;
    this.#reader.corkTurn();
    this.#connection.reply({
      t: "welcome",
      v: PROTOCOL_VERSION,
      time: this.#context.broker.time(),
      limits: { messageBytes, channelsPerConnection },
    });
  }

  // --- commands -----------------------------------------------------------------------------------------------

  #handle(frame: ClientFrame | RefusedLine): void {
    if (frame.t === "refused") return this.#refuse(frame.n, frame.error, false);
    if (frame.t === "hello") return this.#refuse(undefined, badFrame("`hello` comes once, first"), false);
    this.#open++;
    try {
      const delay = this.#bucket.take(this.#context.clock.now());
      if (delay > 0) throw this.#tooFast(delay);
      this.#command(frame);
    } catch (error) {
      if (frame.t === "publish" || frame.t === "delete") this.#held.add(frame.channel);
      this.#refuse(frame.n, error);
    }
  }

  #command(frame: Exclude<ClientFrame, { t: "hello" }>): void {
    const { mode } = this.#options;
    const isChannels = frame.t === "attach";
    if ((mode === "channels" && !isChannels) || (mode === "commands" && isChannels))
      throw badFrame(`\`${frame.t}\` has no place in this request`);
    switch (frame.t) {
      case "attach":
        return this.#attach(frame);
      case "detach":
        this.#reader.detach(frame.channel);
        return this.#result(frame.n);
      case "publish":
        return this.#publish(frame, { ...frame, key: frame.key });
      case "delete":
        return this.#publish(frame, { ...frame, kind: "deleted", data: NO_DATA });
      case "token":
        return this.#token(frame);
      case "ping":
        this.#answered();
        this.#connection.reply({ t: "pong", n: frame.n });
    }
  }

  #attach(frame: AttachFrame): void {
    this.#decide(frame.n, this.#reader.attach(frame.channel, parseSince(frame.since)), (answer) => {
      this.#answered();
      this.#connection.reply({
        t: "attached",
        n: frame.n,
        channel: frame.channel,
        c: answer.channel.number,
        position: formatPosition(answer.position),
        head: formatPosition(answer.head),
        replayed: answer.replayed,
        keep: answer.keep,
        ...gapOf(answer),
      });
      this.#reader.start(answer.channel.name);
    });
  }

  #publish(frame: PublishFrame | DeleteFrame, draft: Draft): void {
    const channel = this.#channels.get(frame.channel);
    const { name } = channel;
    if (frame.first) this.#held.delete(name);
    if (this.#held.has(name)) throw heldError();
    const held = (): boolean => this.#held.has(name);
    publishDraft(this.#context, channel, draft, { grants: this.#reader.grants, held }, (outcome) => {
      if (outcome instanceof PartylineError) {
        this.#held.add(name);
        this.#refuse(frame.n, outcome);
      } else this.#result(frame.n, outcome);
    });
  }

  #token(frame: TokenFrame): void {
    const options = this.#options;
    const header = options.mode === "full" ? options.credentials.header : (): undefined => undefined;
    const granted = this.#context.authenticator.authenticate({ token: frame.token, header });
    this.#decide(frame.n, granted, (grants) => {
      regrant(this.#context, this.#reader, grants);
      this.#result(frame.n);
    });
  }

  // --- answers ------------------------------------------------------------------------------------------------

  #result(n: number, appended?: Appended): void {
    this.#answered();
    if (!appended) return void this.#connection.reply({ t: "result", n });
    const position = formatPosition(appended.position);
    const duplicate = appended.duplicate ? { duplicate: true } : {};
    this.#connection.reply({ t: "result", n, position, ...duplicate });
  }

  #tooFast(delay: number): PartylineError {
    const { commandsPerSecond } = this.#context.limits;
    return new PartylineError("rate-limited", `More than ${commandsPerSecond} commands a second.`, {
      retryAfter: Math.ceil(delay / 1_000),
    });
  }

  /** Answers with an error; `counted` where the command had been taken. */
  #refuse(n: number | undefined, thrown: unknown, counted = true): void {
    const error = toPartylineError(thrown);
    if (error.code === "internal")
      this.#context.logger.error("a command failed", { error: String(error.cause ?? error) });
    this.#context.metrics.count("refused", error.code);
    if (counted) this.#answered();
    else this.#reader.corkTurn();
    this.#connection.reply(errorFrame(n, error));
  }

  #answered(): void {
    this.#open--;
    this.#reader.corkTurn();
    if (this.#open === 0) this.#checkSettled();
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

function gapOf(answer: AttachAnswer): { gap?: GapFields } {
  return answer.gap ? { gap: gapFields(answer.gap) } : {};
}
