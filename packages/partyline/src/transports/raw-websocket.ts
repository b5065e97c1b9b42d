import type { Appended, AttachAnswer, Grants, MaybePromise, Outgoing, Pace, Reader } from "../core/ports.ts";
import { CLOSE } from "../protocol/close-codes.ts";
import { type PartylineError, toPartylineError } from "../protocol/errors.ts";
import { formatPosition, type Position, type Since } from "../protocol/position.ts";
import { rawWebSocketFormat } from "./formats.ts";
import { HOLD } from "./paced-peer.ts";
import { detachedError } from "./raw-sse.ts";
import type { Parting } from "./registry.ts";
import type { Seat } from "./seat.ts";
import type { Surroundings } from "./surroundings.ts";
import { WebSocketConnection } from "./websocket-connection.ts";

/**
 * `reading`: frames are published as they come. `storing`: the broker takes its time over one; those behind it wait
 * unread. `ending`: nothing more is taken from the peer. `lost`: nor is anything more sent, for the peer could not know
 * that something is missing before it.
 */
type State = "reading" | "storing" | "ending" | "lost";

/** `/channels/{name}` as a WebSocket: each message a frame, each frame a message. */
export class RawWebSocket extends WebSocketConnection {
  readonly #reader: Reader;
  readonly #grants: Grants;
  #channel = "";
  #state: State = "reading";
  #answer: AttachAnswer | undefined;
  #finish: (() => void) | undefined;

  constructor(surroundings: Surroundings, seat: Seat, grants: Grants) {
    super(surroundings, seat);
    this.#grants = grants;
    this.#reader = surroundings.engine.open(this, grants);
  }

  /** Comes before the handshake, so that a refusal is an answer of its own, and the first frame finds it done. */
  attach(channel: string, since: Since | undefined, pace: Pace | undefined): MaybePromise<void> {
    const answer = this.#reader.attach(channel, since, pace);
    if (answer instanceof Promise) return answer.then((late) => void (this.#answer = late));
    this.#answer = answer;
  }

  protected opened(): void {
    const answer = this.#answer;
    if (!answer) return;
    this.#answer = undefined;
    this.#channel = answer.channel.name;
    if (answer.gap) this.#gap(answer.gap.to);
    else this.#reader.start(this.#channel);
  }

  // --- what the channel sends ---------------------------------------------------------------------------------

  write(outgoing: Outgoing): boolean {
    const { item } = outgoing;
    switch (item.is) {
      case "messages":
        return this.#send(outgoing);
      case "gap":
        this.#gap(item.gap.to);
        return true;
      case "detached":
        this.close(detachedError(item.code));
        return true;
      case "skip":
      case "mark":
      case "stale":
        return true;
    }
  }

  #send(outgoing: Outgoing): boolean {
    if (this.#state === "lost") return true;
    const frames = outgoing.encoded(this.compression?.raw ?? rawWebSocketFormat);
    return frames.length === 0 || this.send(frames);
  }

  /** There is no place for it on this wire, and silence would be a lie: the peer learns where to go on from. */
  #gap(to: Position): void {
    this.#state = "lost";
    this.closeWith(CLOSE.gap, formatPosition(to));
  }

  // --- what the peer sends ------------------------------------------------------------------------------------

  message(data: Buffer, isBinary: boolean, extra: number): void {
    this.heard();
    if (this.#state !== "reading") return;
    this.charge(1 + extra);
    this.#publish(data, isBinary);
  }

  #publish(data: Buffer, isBinary: boolean): void {
    try {
      const appended = this.surroundings.engine.publish(
        { channel: this.#channel, kind: isBinary ? "binary" : "auto", data },
        this.#grants,
      );
      if (appended instanceof Promise) this.#store(appended);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Nothing of this peer overtakes the frame that is being stored. */
  #store(appended: Promise<Appended>): void {
    this.#state = "storing";
    this.hold(HOLD.deciding);
    appended.then(
      () => this.#stored(),
      (error: unknown) => this.#refuse(error),
    );
  }

  #stored(): void {
    if (this.#state !== "storing") return;
    this.#state = "reading";
    this.#finishSoon();
    this.release(HOLD.deciding);
  }

  #refuse(error: unknown): void {
    const refusal: PartylineError = toPartylineError(error);
    const { metrics, failures } = this.surroundings.engine;
    metrics.count("refused", refusal.code);
    if (refusal.code === "internal") failures.report("a publish failed", refusal.cause ?? refusal);
    this.#state = "ending";
    this.close(refusal);
    this.#finishSoon();
  }

  // --- the end ------------------------------------------------------------------------------------------------

  get breaks(): boolean {
    return true;
  }

  leave({ reason }: Parting): void {
    this.close(reason);
  }

  /** What the peer sent before its close is stored, and echoed with this turn, before the close is answered. */
  closing(finish: () => void): void {
    this.#finish = finish;
    if (this.#state !== "storing") this.#finishSoon();
  }

  #finishSoon(): void {
    const finish = this.#finish;
    if (!finish) return;
    this.#finish = undefined;
    if (this.#state !== "lost") this.#state = "ending";
    this.surroundings.engine.afterTurn(finish);
    // Whatever reason there was to read no further, the server waits for the peer's own close.
    this.release(HOLD.deciding | HOLD.rate);
  }

  protected roomAgain(): void {
    this.#reader.drained();
  }

  protected over(): void {
    this.#state = "ending";
    this.#reader.closed();
  }
}
