import { PartylineError } from "../protocol/errors.ts";
import { isReservedName } from "../protocol/channel-name.ts";
import type { Keep } from "../protocol/message.ts";
import { type Check, oneOf, readObject, type Rules, whole } from "../protocol/options.ts";
import { parsePattern, type Pattern } from "../protocol/pattern.ts";
import { type Duration, isDuration, milliseconds } from "./duration.ts";
import type { ChannelSpec, Retention } from "./ports.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** How much of a channel's messages is kept; the bound reached first drops the oldest. */
export interface RetentionOptions {
  /** Messages. Default 10 000. */
  readonly count?: number;
  /**
   * Bytes: data, the characters of id and key, and 100 for each message. It also bounds the values of a `latest` channel
   * (`too-many-keys`).
   *
   * @default 16 MiB
   */
  readonly bytes?: number;
  /** Nothing older is ever read. Default 1 h. */
  readonly age?: Duration;
}

/** What holds for all channels whose name matches one pattern. */
export interface ChannelDefinition<Message = unknown> {
  /** Messages must be JSON that fits this schema (`invalid`). It checks only: what is stored are the bytes that came. */
  readonly message?: StandardSchema<Message>;
  /**
   * `history` keeps messages by {@link RetentionOptions}; `latest` keeps the newest of each key (prices, scores);
   * `nothing` delivers to who is there (typing, cursors). Default `history`.
   */
  readonly keep?: Keep;
  readonly retention?: RetentionOptions;
  /** Who may publish: `server` code only, or also clients whose grants allow it. Default `anyone`. */
  readonly publish?: "server" | "anyone";
  /** Most keys of a `latest` channel (`too-many-keys`). Default 10 000. */
  readonly maxKeys?: number;
  /** How long an idle channel's positions outlive its last message. Default 24 h. */
  readonly idleAge?: Duration;
}

/** Definitions by pattern (`chat/:room`, `scores/*`, `**`); the first that matches a name holds. */
export type ChannelDefinitions = Readonly<Record<string, ChannelDefinition>>;

/** Rules of {@link RetentionOptions}. */
export const RETENTION_RULES: Rules<RetentionOptions> = { count: whole, bytes: whole, age: isDuration };

const isSchema: Check = (value) => {
  const schema = value as Partial<StandardSchema> | null;
  return typeof schema?.["~standard"]?.validate === "function"
    ? undefined
    : "a schema that speaks Standard Schema (zod, valibot, arktype …)";
};

const DEFINITION_RULES: Rules<ChannelDefinition> = {
  message: isSchema,
  keep: oneOf("history", "latest", "nothing"),
  retention: RETENTION_RULES,
  publish: oneOf("server", "anyone"),
  maxKeys: whole,
  idleAge: isDuration,
};

/**
 * Names the channels of an application, for server and client alike.
 *
 * @throws TypeError if a pattern, a key or a value is wrong.
 *
 * @example
 * ```ts
 * export const channels = defineChannels({
 *   "chat/:room": { retention: { count: 1000, age: "7d" } },
 *   "prices/:symbol": { keep: "latest", publish: "server" },
 *   "typing/:room": { keep: "nothing" },
 * });
 * ```
 */
export function defineChannels<const Definitions extends ChannelDefinitions>(
  definitions: Definitions,
): Definitions {
  compileDefinitions(definitions);
  return definitions;
}

/** Defaults of {@link RetentionOptions}. */
export const DEFAULT_RETENTION: Retention = Object.freeze({
  count: 10_000,
  bytes: 16 * 1024 * 1024,
  age: 3_600_000,
});

/** What core keeps of a definition. */
export interface Definition {
  readonly schema: StandardSchema | undefined;
  readonly serverOnly: boolean;
  spec(name: string): ChannelSpec;
}

/** Finds the definition of a channel. */
export interface Definitions {
  /** @throws PartylineError `unknown-channel` where no pattern matches. */
  find(name: string): Definition;
}

/** Without definitions every name is a channel that keeps its history. */
const ANY_CHANNEL: ChannelDefinitions = { "**": {} };

const RESERVED: ChannelDefinitions = { "**": { publish: "server" } };

/**
 * Compiles definitions once, at start.
 *
 * @throws TypeError if a pattern, a key or a value is wrong: better at start than at the first message.
 */
export function compileDefinitions(
  definitions: ChannelDefinitions = ANY_CHANNEL,
  defaults: RetentionOptions = {},
  messageBytes = 0,
): Definitions {
  if (typeof definitions !== "object" || Array.isArray(definitions))
    throw new TypeError('`channels` is an object: definitions by pattern, `{ "chat/:room": {} }`.');
  const compile = (source: ChannelDefinitions): [Pattern, Definition][] =>
    Object.entries(source).map(([pattern, definition]) => [
      parsePattern(pattern),
      compileOne(pattern, definition, defaults, messageBytes),
    ]);
  const rows = compile(definitions);
  const reserved = compile(RESERVED);
  return {
    find(name) {
      const row = (isReservedName(name) ? reserved : rows).find(([pattern]) => pattern.match(name));
      if (!row) throw new PartylineError("unknown-channel", `No channel definition matches "${name}".`);
      return row[1];
    },
  };
}

function compileOne(
  pattern: string,
  written: ChannelDefinition,
  defaults: RetentionOptions,
  messageBytes: number,
): Definition {
  const definition = readObject(
    `the channel "${pattern}"`,
    "key",
    written,
    DEFINITION_RULES,
  ) as ChannelDefinition;
  const { keep = "history", maxKeys = 10_000, idleAge = "24h", message, publish } = definition;
  const chosen = { ...DEFAULT_RETENTION, ...defaults, ...definition.retention };
  const retention: Retention = { count: chosen.count, bytes: chosen.bytes, age: milliseconds(chosen.age) };
  if (messageBytes > retention.bytes)
    throw new TypeError(
      `A message may have ${messageBytes} bytes, but "${pattern}" keeps only ${retention.bytes}: raise retention.bytes.`,
    );
  const idleMs = milliseconds(idleAge);
  return {
    schema: message,
    serverOnly: publish === "server",
    // Written out: every channel has one, and what is spread into an object lies in a second one beside it.
    spec: (name) => ({ name, keep, retention, maxKeys, idleAge: idleMs }),
  };
}
