import { PartylineError } from "../../protocol/errors.ts";
import { decideKind, type DeclaredKind, type EntryKind, parseJson } from "../../protocol/message.ts";
import { isPublishId } from "../../protocol/read-client-frame.ts";
import type { Channel } from "../channel.ts";
import type { Context } from "../context.ts";
import { mayDo, SERVER_GRANTS } from "../grants.ts";
import type { Appended, Grants, NewMessage } from "../ports.ts";
import { describeIssues, type StandardSchema } from "../standard-schema.ts";

/** A message as its publisher sent it, before anything was checked. */
export interface Draft {
  readonly kind: DeclaredKind | "text" | "deleted";
  readonly data: Uint8Array;
  readonly id: string | undefined;
  readonly at: number | undefined;
  readonly key: string | undefined;
}

/** Longest key, in UTF-16 units: keys are names of things, and each is kept. */
const MAX_KEY = 255;

/**
 * Checks a draft: grant, kind of channel, id, size, then what the bytes are. Nothing is stored before all hold.
 *
 * @throws PartylineError `forbidden`, `wrong-method`, `bad-id`, `too-large`, `bad-json`, `invalid`
 */
export function checkDraft(context: Context, channel: Channel, draft: Draft, grants: Grants): NewMessage {
  const { definition, spec } = channel;
  const allowed =
    mayDo(grants, "publish", channel.name) && (!definition.serverOnly || grants === SERVER_GRANTS);
  if (!allowed) throw new PartylineError("forbidden", `Not allowed to publish to "${channel.name}".`);
  if (draft.kind === "deleted" && spec.keep !== "latest")
    throw new PartylineError(
      "wrong-method",
      `Only channels that keep the latest of each key delete: "${channel.name}".`,
    );
  if (draft.id !== undefined && !isPublishId(draft.id))
    throw new PartylineError("bad-id", `Not a publish id: ${JSON.stringify(draft.id.slice(0, 80))}.`);
  if (draft.key !== undefined && draft.key.length > MAX_KEY)
    throw new PartylineError("too-large", `A key of more than ${MAX_KEY} characters.`);
  const { messageBytes } = context.limits;
  if (draft.data.length > messageBytes)
    throw new PartylineError(
      "too-large",
      `A message of ${draft.data.length} bytes; at most ${messageBytes} are taken.`,
    );
  const kind = kindOf(draft, definition.schema);
  const key = draft.key ?? (spec.keep === "latest" ? "" : undefined);
  return { kind, id: draft.id, at: draft.at, key, data: draft.data };
}

function kindOf(draft: Draft, schema: StandardSchema | undefined): EntryKind {
  if (draft.kind === "deleted") return "deleted";
  if (draft.kind === "text" && !schema) return "text";
  const kind = decideKind(draft.data, draft.kind === "text" ? "auto" : draft.kind, schema !== undefined);
  if (!schema) return kind;
  if (kind === "binary")
    throw new PartylineError("invalid", "This channel takes JSON that fits its schema, not binary.");
  validate(schema, parseJson(draft.data));
  return kind;
}

function validate(schema: StandardSchema, value: unknown): void {
  const result = schema["~standard"].validate(value);
  // Order is decided by the moment of the append: a check that takes its time would let others overtake.
  if (result instanceof Promise) {
    // Nobody awaits it, and its rejection must not end the process.
    result.catch(() => undefined);
    throw new TypeError("A channel's schema must validate synchronously.");
  }
  if (result.issues) throw new PartylineError("invalid", describeIssues(result.issues));
}

/** Checks and submits; `settle` is called exactly once, perhaps at once. */
export function publishDraft(
  context: Context,
  channel: Channel,
  draft: Draft,
  by: { readonly grants: Grants; readonly held?: () => boolean },
  settle: (outcome: Appended | PartylineError) => void,
): void {
  const message = checkDraft(context, channel, draft, by.grants);
  channel.publishes.submit({ message, held: by.held, settle });
}
