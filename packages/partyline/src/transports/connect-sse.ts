import type { Conversation, Outgoing, TalkingConnection, Welcome } from "../core/ports.ts";
import { answerLine, errorFrame } from "../protocol/answer-frames.ts";
import type { PartylineError } from "../protocol/errors.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import { formatSse } from "../protocol/sse.ts";
import { connectSseFormat } from "./formats.ts";
import type { Parting } from "./registry.ts";
import { receiveLines } from "./request-lines.ts";
import type { Seat } from "./seat.ts";
import { StreamConnection } from "./stream-connection.ts";
import type { Surroundings } from "./surroundings.ts";

/** The shortest silence that a peer may ask for, seconds; and how late a comment may be, by looking once a second. */
const LEAST_QUIET = 3;
const LATE = 2;

/** `POST /connect` answered by a stream of frames, for the channels that its body attached. */
export class ConnectSse extends StreamConnection implements TalkingConnection {
  protected delivery: Conversation | { drained(): void; closed(): void } = NOBODY;
  readonly #commentAfter: number;
  #welcome: Welcome | undefined;
  #lines: readonly string[] | undefined;
  #replies = "";
  #corked = false;

  constructor(surroundings: Surroundings, seat: Seat, welcome: Welcome, lines: readonly string[]) {
    super(surroundings, seat);
    const { quiet = Infinity } = welcome;
    const asked = Math.max(Math.floor(quiet), LEAST_QUIET) - LATE;
    this.#commentAfter = Math.min(asked, surroundings.heartbeat.comment);
    this.#welcome = welcome;
    this.#lines = lines;
  }

  protected override get commentAfter(): number {
    return this.#commentAfter;
  }

  protected opened(): void {
    const welcome = this.#welcome;
    const lines = this.#lines;
    if (!welcome || !lines) return;
    this.#welcome = undefined;
    this.#lines = undefined;
    const conversation = this.surroundings.engine.converse(this, { mode: "channels", welcome });
    this.delivery = conversation;
    receiveLines(this.surroundings.engine, conversation, lines, () => undefined);
  }

  reply(frame: ServerFrame): boolean {
    const line = answerLine(frame);
    this.#replies += this.#replies === "" ? line : `\n${line}`;
    return this.#corked || this.#flush();
  }

  write(outgoing: Outgoing): boolean {
    this.#flush();
    return this.share(outgoing, connectSseFormat, "connect");
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

  get breaks(): boolean {
    return false;
  }

  leave({ within }: Parting): void {
    this.reply({ t: "drain", within });
  }

  override close(reason: PartylineError): void {
    this.#flush();
    super.close(reason);
  }

  protected override farewell(reason: PartylineError): string {
    return formatSse({ data: JSON.stringify(errorFrame(undefined, reason)) });
  }

  #flush(): boolean {
    const replies = this.#replies;
    if (replies === "") return true;
    this.#replies = "";
    return this.send(formatSse({ data: replies }));
  }
}

const NOBODY = { drained(): void {}, closed(): void {} };
