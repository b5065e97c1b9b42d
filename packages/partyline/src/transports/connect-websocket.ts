import type { Conversation, Credentials, Outgoing, TalkingConnection } from "../core/ports.ts";
import { answerLine, errorFrame } from "../protocol/answer-frames.ts";
import { CLOSE } from "../protocol/close-codes.ts";
import { PartylineError } from "../protocol/errors.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import { HELLO_BYTES } from "../protocol/limits.ts";
import { connectWebSocketFormat } from "./formats.ts";
import type { Malformed } from "./malformed.ts";
import { HOLD } from "./paced-peer.ts";
import type { Guest, Parting } from "./registry.ts";
import type { Seat } from "./seat.ts";
import type { Surroundings } from "./surroundings.ts";
import { hasMoreLines, LF } from "./request-lines.ts";
import { WebSocketConnection } from "./websocket-connection.ts";
import { textFrame } from "./websocket-frame.ts";

/** `greeting`: has not been welcomed. `talking`: may do what it is granted. `ending`: nothing more is read. */
type State = "greeting" | "talking" | "ending";

/** What a {@link ConnectWebSocket} begins with. */
export interface ConnectWebSocketOptions {
  readonly seat: Seat;
  /** A second seat, among those that nobody knows yet. */
  readonly antechamber: Seat;
  readonly credentials: Credentials;
  /** Asked before each attach; throws what it is refused for. One for all. */
  readonly admit: (guest: Guest) => void;
}

/** `/connect` as a WebSocket: frames both ways. */
export class ConnectWebSocket extends WebSocketConnection implements TalkingConnection {
  readonly #conversation: Conversation;
  readonly #admit: (guest: Guest) => void;
  #antechamber: Seat | undefined;
  #state: State = "greeting";
  /** Replies of this turn, one a line. */
  #replies = "";
  #corked = false;
  /** A frame of which some lines have not been handled, and where they begin. */
  #frame: Buffer | undefined;
  #at = 0;

  constructor(
    surroundings: Surroundings,
    { seat, antechamber, credentials, admit }: ConnectWebSocketOptions,
  ) {
    super(surroundings, seat);
    this.#antechamber = antechamber;
    this.#admit = admit;
    this.#conversation = surroundings.engine.converse(this, { mode: "full", credentials });
  }

  protected opened(): void {
    // The peer speaks first.
  }

  admit(): void {
    this.#admit(this);
  }

  stem(stemmed: boolean): void {
    if (stemmed) this.hold(HOLD.deciding);
    else this.release(HOLD.deciding);
  }

  // --- what the peer sends ------------------------------------------------------------------------------------

  message(data: Buffer, isBinary: boolean, extra: number): void {
    if (this.#state === "ending") return;
    this.heard();
    if (isBinary) return this.#end(CLOSE.unsupportedData, "Frames are text here.");
    if (!data.includes(LF)) return this.#line(data.toString(), 1 + extra);
    const { linesPerRequest } = this.surroundings.engine.limits;
    if (hasMoreLines(data, linesPerRequest))
      return this.close(new PartylineError("too-large", `A frame has at most ${linesPerRequest} lines.`));
    this.charge(extra);
    this.#frame = data;
    this.#at = 0;
    this.#lines();
  }

  override broken(fault: Malformed): void {
    if (this.#state === "greeting" && fault.close === CLOSE.tooBig)
      return this.close(
        new PartylineError("too-large", `More than ${HELLO_BYTES} bytes before the welcome.`, {
          remedy: "Use a shorter token, or send less before the welcome.",
        }),
      );
    super.broken(fault);
  }

  /** Handles the lines of the frame until there is a reason to read no further; the next line then waits with them. */
  #lines(): void {
    const { work } = this.surroundings.engine;
    while (this.#frame && !this.held) {
      this.#line(this.#nextLine(this.#frame), 1);
      if (this.#state === "ending") this.#frame = undefined;
      if (this.#frame && work.over) this.yield();
    }
  }

  #line(line: string, commands: number): void {
    this.charge(commands);
    if (line !== "" || this.#state === "greeting") this.#conversation.receive(line);
  }

  #nextLine(frame: Buffer): string {
    const start = this.#at;
    const end = frame.indexOf(LF, start);
    this.#at = end + 1;
    if (end < 0) this.#frame = undefined;
    return frame.toString("utf8", start, end < 0 ? frame.length : end);
  }

  protected override rest(): void {
    this.#lines();
  }

  // --- what it is sent ----------------------------------------------------------------------------------------

  reply(frame: ServerFrame): boolean {
    if (frame.t === "welcome") this.#welcomed();
    const line = answerLine(frame);
    this.#replies += this.#replies === "" ? line : `\n${line}`;
    return this.#corked || this.#flush();
  }

  #welcomed(): void {
    if (this.#state === "greeting") this.#state = "talking";
    this.allowLargerFrames();
    this.#antechamber?.leave();
    this.#antechamber = undefined;
  }

  write(outgoing: Outgoing): boolean {
    this.#flush();
    return this.send(outgoing.encoded(this.compression?.connect ?? connectWebSocketFormat));
  }

  override cork(): void {
    this.#corked = true;
    super.cork();
  }

  override uncork(): void {
    this.#corked = false;
    this.#flush();
    super.uncork();
  }

  #flush(): boolean {
    if (this.#replies === "") return true;
    const frame = textFrame(this.#replies);
    this.#replies = "";
    if (this.send(frame)) return true;
    // A peer that does not take its replies is read no further: nothing else bounds the replies that wait here.
    this.hold(HOLD.replies);
    return false;
  }

  protected roomAgain(): void {
    this.release(HOLD.replies);
    this.#conversation.drained();
  }

  // --- the end ------------------------------------------------------------------------------------------------

  get breaks(): boolean {
    return false;
  }

  /** Who has not said hello is no further than one who comes now. */
  leave({ within, reason }: Parting): void {
    if (this.#state === "greeting") this.close(reason);
    else if (this.#state === "talking") this.reply({ t: "drain", within });
  }

  override close(reason: PartylineError): void {
    if (this.#state === "ending") return;
    this.reply(errorFrame(undefined, reason));
    this.#state = "ending";
    super.close(reason);
  }

  #end(code: number, reason: string): void {
    this.#state = "ending";
    this.closeWith(code, reason);
  }

  /** Commands that came before the close are answered first, with what this turn brings. */
  closing(finish: () => void): void {
    this.#state = "ending";
    const { engine } = this.surroundings;
    const soon = (): void => {
      engine.afterTurn(() => {
        this.#flush();
        finish();
      });
    };
    const settled = this.#conversation.settled();
    if (settled) void settled.then(soon);
    else soon();
  }

  protected over(): void {
    this.#state = "ending";
    this.#antechamber?.leave();
    this.#antechamber = undefined;
    this.#conversation.closed();
  }
}
