import { toBase64 } from "../protocol/base64.ts";
import type { ErrorFrame, ResultFrame } from "../protocol/frames.ts";
import { encodeText, type Keep } from "../protocol/message.ts";
import { PartylineError } from "../protocol/partyline-error.ts";
import type { PendingPublish, PublishOptions, PublishResult } from "./channel-types.ts";
import { fromErrorFrame } from "./errors.ts";
import type { Command } from "./link.ts";
import { createOutbox, offlineError, type Outbox, type Unsettled } from "./outbox.ts";

/** What the publishing half of a channel needs. */
export interface PublisherPort {
  /** Sends on the present connection. */
  send(command: Command): void;
  /** Number of the present connection, `undefined` while there is none. */
  connection(): number | undefined;
  keep(): Keep;
  /** The broker's clock, ms. */
  brokerTime(): number;
  randomBytes(): Uint8Array;
  /** Data of a message may have this many bytes, as far as the server has told. */
  messageBytes(): number;
  afterBackoff(refusals: number, retryAfter: number | undefined, run: () => void): () => void;
  /** Room for the unsettled publishes of the whole client; `overloaded` where there is none. */
  readonly room: Room;
}

/** Counts what waits in all channels of a client. */
export interface Room {
  publishes: number;
  bytes: number;
  readonly maxPublishes: number;
  readonly maxBytes: number;
}

/** The publishing half of a channel. */
export interface Publisher {
  readonly pending: readonly PendingPublish[];
  publish(data: unknown, options: PublishOptions): Promise<PublishResult>;
  delete(key: string, id: string | undefined): Promise<PublishResult>;
  connected(connection: number): void;
  disconnected(): void;
  close(error: PartylineError): void;
}

interface Publish extends Unsettled {
  /** The members of the frame that are the same in each attempt, as JSON without braces. */
  readonly fields: string;
  readonly size: number;
  /** First attempt, ms by the broker's clock. */
  at: number | undefined;
  resolve(result: PublishResult): void;
  reject(error: PartylineError): void;
}

export function createPublisher(channel: string, port: PublisherPort): Publisher {
  const { room } = port;

  const outbox: Outbox<Publish> = createOutbox<Publish>({
    send(publish, attempt, first) {
      const connection = port.connection() ?? 0;
      publish.at ??= Math.round(port.brokerTime());
      const { at, fields } = publish;
      port.send({
        line: (n) => `{"n":${n},"at":${at},${first ? '"first":true,' : ""}${fields}}`,
        answer: (frame) => outbox.answered(publish, attempt, connection, readAnswer(frame)),
      });
    },
    settle(publish, outcome) {
      room.publishes--;
      room.bytes -= publish.size;
      if (outcome.t === "refused") publish.reject(outcome.error);
      else if (outcome.t === "stored")
        publish.resolve({ position: outcome.position, duplicate: outcome.duplicate });
      else publish.resolve({ position: "", duplicate: false, superseded: true });
    },
    afterBackoff: (refusals, retryAfter, run) => port.afterBackoff(refusals, retryAfter, run),
    keep: () => port.keep(),
  });

  const add = (
    t: "publish" | "delete",
    { id = randomId(port.randomBytes()), key }: PublishOptions,
    value: string,
    size: number,
  ): Promise<PublishResult> => {
    if (port.keep() === "nothing" && port.connection() === undefined) throw offlineError();
    if (size > port.messageBytes())
      throw new PartylineError("too-large", `${size} bytes, where ${port.messageBytes()} are allowed.`, {
        remedy: "Send a smaller message, or a reference to where the data is.",
      });
    const named = key === undefined ? "" : `,"key":${JSON.stringify(key)}`;
    const fields = `"t":"${t}","channel":${JSON.stringify(channel)},"id":${JSON.stringify(id)}${named}${value}`;
    if (room.publishes >= room.maxPublishes || room.bytes + fields.length > room.maxBytes)
      throw new PartylineError("overloaded", `${room.publishes} publishes are not settled yet.`, {
        remedy: "Await each publish, or publish less while the client is not live.",
      });
    room.publishes++;
    room.bytes += fields.length;
    return new Promise((resolve, reject) => {
      const counts = { attempt: 0, firstConnection: undefined, refusals: 0, uncertain: 0 };
      outbox.publish({
        id,
        key: key ?? "",
        ...counts,
        fields,
        size: fields.length,
        at: undefined,
        resolve,
        reject,
      });
    });
  };

  return {
    get pending() {
      return outbox.unsettled.map(({ id, key, attempt }) => ({
        id,
        ...(key ? { key } : {}),
        state: attempt > 0 ? ("sent" as const) : ("waiting" as const),
      }));
    },
    // Async, so that a refusal by the client itself is a rejection like any other.
    async publish(data, options) {
      const { kind = data instanceof Uint8Array ? "binary" : "json" } = options;
      if (kind === "binary" && data instanceof Uint8Array)
        return add("publish", options, `,"kind":"binary","data":"${toBase64(data)}"`, data.length);
      const text = kind === "text" && typeof data === "string" ? data : JSON.stringify(data);
      if (kind === "binary" || (kind === "text" && text !== data) || text === undefined)
        throw new PartylineError("bad-json", `A ${typeof data} can't be sent as ${kind}.`, {
          remedy: "Publish a JSON value, a string with kind text, or a Uint8Array.",
        });
      const json = kind === "text" ? JSON.stringify(text) : text;
      return add("publish", options, `,"kind":"${kind}","data":${json}`, encodeText(text).length);
    },
    async delete(key, id) {
      return add("delete", id === undefined ? { key } : { key, id }, "", 0);
    },
    connected: (connection) => outbox.connected(connection),
    disconnected: () => outbox.disconnected(),
    close: (error) => outbox.close(error),
  };
}

function readAnswer(frame: ResultFrame | ErrorFrame): Parameters<Outbox<Publish>["answered"]>[3] {
  if (frame.t === "error") return { code: frame.code, error: fromErrorFrame(frame) };
  return { position: frame.position ?? "", duplicate: frame.duplicate === true };
}

/** 22 characters base64url. */
function randomId(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace("==", "");
}
