import { toBase64 } from "../protocol/base64.ts";
import type { Keep } from "../protocol/message.ts";
import { PartylineError } from "../protocol/partyline-error.ts";
import type { PendingPublish, PublishOptions, PublishResult } from "./channel-types.ts";
import type { Core } from "./core.ts";
import { fromErrorFrame } from "./errors.ts";
import { createOutbox, offlineError, type Outbox, type Unsettled } from "./outbox.ts";

/** The publishing half of a channel. */
export interface Publisher {
  readonly pending: readonly PendingPublish[];
  publish(data: unknown, options: PublishOptions): Promise<PublishResult>;
  delete(key: string, id: string | undefined): Promise<PublishResult>;
  connected(): void;
  disconnected(): void;
  close(error: PartylineError): void;
}

interface Publish extends Unsettled {
  /** The members of the frame that are the same in each attempt, as JSON without braces. */
  readonly fields: string;
  /** First attempt, ms by the broker's clock; 0 before. */
  at: number;
  resolve(result: PublishResult): void;
  reject(error: PartylineError): void;
}

export function createPublisher(channel: string, core: Core, keep: () => Keep): Publisher {
  let closed: PartylineError | undefined;
  const outbox: Outbox<Publish> = createOutbox<Publish>({
    keep,
    afterBackoff: core.afterBackoff,
    send(publish, attempt, first) {
      publish.at ||= Math.round(core.brokerTime());
      core.link?.send({
        channel,
        first,
        fields: () =>
          outbox.isCurrent(publish, attempt) ? `"at":${publish.at},${publish.fields}` : undefined,
        answer(frame) {
          const { position = "", duplicate = false } = frame.t === "result" ? frame : {};
          const answer = frame.t === "error" ? fromErrorFrame(frame) : { position, duplicate };
          outbox.answered(publish, attempt, answer);
        },
      });
    },
    settle(publish, outcome) {
      core.pendingPublishes--;
      core.pendingBytes -= publish.fields.length;
      if (outcome instanceof PartylineError) publish.reject(outcome);
      else publish.resolve(outcome ?? { position: "", duplicate: false, superseded: true });
    },
  });

  const add = (
    { id = randomId(core.runtime.randomBytes()), key }: PublishOptions,
    size: number,
    value: object,
    json: string,
  ): Promise<PublishResult> => {
    const { limits, messageBytes } = core;
    if (closed) throw closed;
    if (keep() === "nothing" && !core.link) throw offlineError();
    if (size > messageBytes)
      throw new PartylineError("too-large", `${size} bytes; at most ${messageBytes} are taken.`, {
        remedy: "Send less, or a reference.",
      });
    const fields = JSON.stringify({ ...value, channel, id, key }).slice(1, -1) + json;
    if (
      core.pendingPublishes >= limits.pendingPublishes ||
      core.pendingBytes + fields.length > limits.pendingBytes
    )
      throw new PartylineError("overloaded", `${core.pendingPublishes} publishes are unsettled.`, {
        remedy: "Await each publish.",
      });
    core.pendingPublishes++;
    core.pendingBytes += fields.length;
    return new Promise((resolve, reject) =>
      outbox.publish({
        id,
        key: key ?? "",
        attempt: 0,
        moved: false,
        refusals: 0,
        at: 0,
        fields,
        resolve,
        reject,
      }),
    );
  };

  return {
    get pending() {
      return outbox.unsettled.map(({ id, key, attempt }) => ({
        id,
        key,
        state: attempt ? ("sent" as const) : ("waiting" as const),
      }));
    },
    // Both async, so that a refusal by the client itself is a rejection like any other.
    async publish(data, options) {
      const bytes = data instanceof Uint8Array;
      const { kind = bytes ? "binary" : "json" } = options;
      // The JSON is made now: what the caller changes later is not part of the message.
      const json = JSON.stringify(bytes ? toBase64(data) : data) as string | undefined;
      if (!json || bytes !== (kind === "binary") || (kind === "text" && typeof data !== "string"))
        throw new PartylineError("bad-json", `A ${typeof data} is no ${kind}.`, {
          remedy: "Publish JSON, a string as text, or a Uint8Array.",
        });
      const size = bytes
        ? data.length
        : new TextEncoder().encode(kind === "text" ? String(data) : json).length;
      return add(options, size, { t: "publish", kind }, `,"data":${json}`);
    },
    async delete(key, id) {
      return add({ key, ...(id ? { id } : {}) }, 0, { t: "delete" }, "");
    },
    connected: outbox.connected,
    disconnected: outbox.disconnected,
    close(error) {
      closed = error;
      outbox.close(error);
    },
  };
}

/** 22 characters base64url. */
function randomId(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
}
