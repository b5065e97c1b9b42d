import type { AttachAnswer, Grants, Outgoing, Pace, Reader } from "../core/ports.ts";
import { formatPositions, type Position, type Since } from "../protocol/position.ts";
import { eventsFormat } from "./formats.ts";
import { detachedError, drainEvent, firstEvent, RETRY } from "./raw-sse.ts";
import type { Parting } from "./registry.ts";
import type { Seat } from "./seat.ts";
import { StreamConnection } from "./stream-connection.ts";
import type { Surroundings } from "./surroundings.ts";

/** What is wanted of one channel. */
export interface EventsChannel {
  readonly channel: string;
  readonly since: Since | undefined;
  readonly pace: Pace | undefined;
}

/** `/events`: several channels in one stream, whose ids name the positions in all of them. */
export class EventsStream extends StreamConnection {
  protected readonly delivery: Reader;
  readonly #answers: AttachAnswer[] = [];
  readonly #names: string[] = [];
  readonly #positions: Position[] = [];

  constructor(surroundings: Surroundings, seat: Seat, grants: Grants) {
    super(surroundings, seat);
    this.delivery = surroundings.engine.open(this, grants);
  }

  async attach(wanted: readonly EventsChannel[]): Promise<void> {
    for (const { channel, since, pace } of wanted) {
      const answer = await this.delivery.attach(channel, since, pace);
      this.#answers.push(answer);
      this.#names.push(answer.channel.name);
      this.#positions.push(answer.position);
    }
  }

  protected opened(): void {
    let events = "";
    for (const [index, answer] of this.#answers.entries()) {
      const { name } = answer.channel;
      events += firstEvent(answer, this.#id(), { channel: name }, index === 0 ? RETRY : undefined);
    }
    this.send(events);
    this.#answers.length = 0;
    for (const name of this.#names) this.delivery.start(name);
  }

  write(outgoing: Outgoing): boolean {
    const { channel, item } = outgoing;
    if (item.is === "detached") {
      this.close(detachedError(item.code));
      return true;
    }
    const place = this.#names.indexOf(channel.name);
    let room = true;
    let events = "";
    for (const { epoch, offset, block } of outgoing.encoded(this.packed?.events ?? eventsFormat)) {
      if (epoch !== undefined) this.#positions[place] = { epoch, offset };
      events += `id: ${this.#id()}\n`;
      if (typeof block === "string") {
        events += block;
        continue;
      }
      room = this.send(events, block);
      events = "";
    }
    return events === "" ? room : this.send(events);
  }

  get breaks(): boolean {
    return true;
  }

  leave(parting: Parting): void {
    this.end(drainEvent(this.#id(), parting));
  }

  #id(): string {
    return formatPositions(this.#positions);
  }
}
