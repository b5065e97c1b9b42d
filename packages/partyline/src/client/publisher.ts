import { toBase64 } from "../protocol/base64.ts";
import type { ResultFrame } from "../protocol/frames.ts";
import type { Keep, Kind } from "../protocol/message.ts";
import { PartylineError } from "../protocol/partyline-error.ts";
import { bytesOf } from "../protocol/payload.ts";
import type { PendingPublish, PendingState, PublishOptions, PublishResult } from "./channel-types.ts";
import type { Codec } from "./codec.ts";
import type { Core } from "./core.ts";
import { fromErrorFrame } from "./errors.ts";
import { readOptions } from "./options.ts";
import { createOutbox, offlineError, type Outbox, type Outcome, type Unsettled } from "./outbox.ts";

/** The publishing half of a channel. */
export interface Publisher {
  readonly pending: readonly Publish[];
  readonly publish: (data: unknown, options?: RepeatOptions) => Promise<PublishResult>;
  readonly delete: (key: string, options?: Omit<RepeatOptions, "key">) => Promise<PublishResult>;
  readonly connected: () => void;
  readonly disconnected: () => void;
  readonly close: (error: PartylineError) => void;
}

/** A publish to be taken up again brings the time of its first attempt. */
export interface RepeatOptions extends PublishOptions {
  readonly at?: number;
}

/** What users are shown as `PendingPublish` is the thing itself. */
export interface Publish extends Unsettled, PendingPublish {
  attempts: number;
  state: PendingState;
  /** The members of the frame that are the same in each attempt, as JSON without braces. */
  readonly fields: string;
  /** First attempt, ms by the broker's clock; 0 before. */
  at: number;
  /** Calls off the end of its time. */
  stopTimer?: () => void;
  resolve(result: PublishResult): void;
  reject(error: PartylineError): void;
}

export function createPublisher(channel: string, core: Core, keep: () => Keep): Publisher {
  const { limits, runtime } = core;
  let closed: PartylineError | undefined;

  const settle = (publish: Publish, outcome: Outcome): void => {
    core.pendingPublishes--;
    core.pendingBytes -= publish.fields.length;
    publish.stopTimer?.();
    const refused = outcome instanceof PartylineError;
    if (refused || !outcome) core.events.emit("dropped", { publish, reason: outcome });
    if (refused) publish.reject(outcome);
    else publish.resolve(outcome ?? { position: "", duplicate: false, superseded: true });
  };
  /** Why a publish that was counted already is not taken. */
  const refuse = (size: number): PartylineError | undefined => {
    const { messageBytes, pendingBytes, pendingPublishes } = core;
    if (keep() === "nothing" && !core.link) return offlineError();
    if (size > messageBytes)
      return new PartylineError("too-large", `${size} bytes of at most ${messageBytes}.`, {
        remedy: "Send less, or a reference.",
      });
    if (pendingPublishes > limits.pendingPublishes || pendingBytes > limits.pendingBytes)
      return new PartylineError("overloaded", `${pendingPublishes} publishes are unsettled.`, {
        remedy: "Await each publish.",
      });
    return undefined;
  };
  const outbox: Outbox<Publish> = createOutbox<Publish>({
    keep,
    date: runtime.date,
    afterBackoff: core.afterBackoff,
    send(publish, attempt, first) {
      publish.at ||= Math.round(core.brokerTime());
      core.link?.send({
        channel,
        first,
        fields: () => (outbox.leaves(publish, attempt) ? `"at":${publish.at},${publish.fields}` : undefined),
        answer(frame) {
          const { position = "", duplicate = false } = frame as Partial<ResultFrame>;
          const answer = frame.t === "error" ? fromErrorFrame(frame) : { position, duplicate };
          outbox.answered(publish, attempt, answer);
        },
      });
    },
    settle,
  });

  const add = (
    t: "publish" | "delete",
    given: RepeatOptions | undefined,
    data?: unknown,
  ): Promise<PublishResult> => {
    const result = new Promise<PublishResult>((resolve, reject) => {
      const options = readOptions(given);
      const { id = randomId(runtime.randomBytes()), key, at = 0, ttl = limits.publishTtl } = options;
      let { kind } = options;
      let json = "";
      let size = 0;
      let refusal = closed;
      try {
        // Now: what the caller changes later is not part of the message.
        if (t === "publish") [kind, json, size] = encode(data, kind, core.codec);
      } catch (cause) {
        refusal ??= new PartylineError("bad-json", String(cause), {
          remedy: "Publish JSON, text or bytes.",
          cause,
        });
      }
      const fields = JSON.stringify({ t, kind, channel, id, key }).slice(1, -1) + json;
      const since = runtime.date();
      const publish: Publish = {
        channel,
        id,
        key: key ?? "",
        kind: kind ?? (t === "delete" ? "deleted" : "json"),
        data,
        size,
        attempts: 0,
        state: "waiting",
        refusals: 0,
        doubts: 0,
        since,
        until: since + Math.round(ttl),
        at,
        fields,
        resolve,
        reject(error) {
          reject(error);
          // Reported, or wished for: then Node need not end because nobody awaits this.
          if (core.events.has("dropped") || error.code === "closed")
            queueMicrotask(() => void result.catch(() => undefined));
        },
      };
      core.pendingPublishes++;
      core.pendingBytes += fields.length;
      refusal ??= refuse(size);
      if (refusal) settle(publish, refusal);
      else {
        outbox.publish(publish);
        publish.stopTimer = runtime.after(ttl, () => outbox.expire(publish));
      }
    });
    return result;
  };

  return {
    get pending() {
      return [...outbox.unsettled];
    },
    publish: (data, options) => add("publish", options, data),
    delete: (key, options) => add("delete", { ...options, key }),
    connected: outbox.connected,
    disconnected: outbox.disconnected,
    close(error) {
      closed = error;
      outbox.close(error);
    },
  };
}

/** Gives the kind of a message, its member of the frame, and its bytes. */
function encode(
  data: unknown,
  asked: Kind | undefined,
  { stringify }: Codec,
): readonly [Kind, string, number] {
  const bytes = bytesOf(data);
  const kind = asked ?? (bytes ? "binary" : "json");
  if (!bytes === (kind === "binary") || (kind === "text" && typeof data !== "string"))
    throw new TypeError(`No ${kind}.`);
  const json = stringify(bytes ? toBase64(bytes) : data);
  const encoded = bytes ?? new TextEncoder().encode(kind === "text" ? (data as string) : json);
  return [kind, `,"data":${json}`, encoded.length];
}

/** 22 characters that an id may have. `-` stands for two digits, which costs 2 % of a bit for each character. */
function randomId(bytes: Uint8Array): string {
  return toBase64(bytes).replace(/\W/g, "-").slice(0, 22);
}
