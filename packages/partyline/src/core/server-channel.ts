import { PartylineError } from "../protocol/errors.ts";
import { gapFields } from "../protocol/answer-frames.ts";
import type { GapFields } from "../protocol/frames.ts";
import { decodeText, type EntryKind, type Entry, encodeMessage } from "../protocol/message.ts";
import {
  formatPosition,
  parsePosition,
  type Position,
  parseSince,
  START_OFFSET,
} from "../protocol/position.ts";
import { anything, oneOf, readOptions, type Rules, string } from "../protocol/options.ts";
import { bytesOf, jsonOf } from "../protocol/payload.ts";
import { SERVER_GRANTS } from "./grants.ts";
import { historyEntries } from "./history.ts";
import type { Appended, Engine, PublishRequest } from "./ports.ts";

/** How server code publishes a message. */
export interface ServerPublishOptions {
  /** Which value of a `latest` channel it sets. Default `""`. */
  readonly key?: string | undefined;
  /** 1 to 64 of `A-Z a-z 0-9 _ -`: a repeat under the same id is not stored twice. Default: none. */
  readonly id?: string | undefined;
  /** `json` sends a string as a JSON string. Default: `binary` for an ArrayBuffer or a view of one, `text` for strings, else `json`. */
  readonly kind?: "json" | "text" | "binary" | undefined;
}

/** Where a message was stored. */
export interface Published {
  /** `epoch:offset`. */
  readonly position: string;
  /** Milliseconds since 1970, by the broker's clock. */
  readonly time: number;
  /** It was stored before, under the same id. */
  readonly duplicate: boolean;
}

/** A message of a channel, as server code reads it. */
export interface ServerMessage<T = unknown> {
  readonly offset: number;
  /** `epoch:offset`. */
  readonly position: string;
  readonly time: number;
  readonly kind: EntryKind;
  readonly id?: string;
  readonly key?: string | undefined;
  /** The JSON value, a string, or bytes, by `kind`; `undefined` where the key was deleted. */
  readonly data: T;
}

/** Which messages to read. */
export interface ServerHistoryOptions {
  /** A position, `earliest`, or `last:N`. Default: the newest `limit`. */
  readonly since?: string;
  /** Default 100. */
  readonly limit?: number;
}

/** A page of a channel. */
export interface ServerHistory<T = unknown> {
  readonly messages: readonly ServerMessage<T>[];
  /** Where reading goes on; `undefined` where there is no such channel yet. */
  readonly position: string | undefined;
  readonly head: string | undefined;
  /** Is there more behind `position`? */
  readonly more: boolean;
  readonly gap?: GapFields;
}

/** A channel, for the application's own code: no grant is asked. */
export interface ServerChannel<T = unknown> {
  /** The name in Unicode normalization form C: all spellings of a name are one channel. */
  readonly name: string;
  /**
   * Stores a message and sends it to all who read the channel.
   *
   * @param data An ArrayBuffer or a view of one is sent as binary, a string as text, anything else as JSON.
   * @throws PartylineError (rejects) `bad-json` if the data has no JSON form, `bad-name`, `unknown-channel`, `too-large`, `invalid`, `id-reused`, `uncertain` …
   */
  publish(data: T, options?: ServerPublishOptions): Promise<Published>;
  /**
   * The position of the newest message, or the place before the first. Who attaches there is given each later message
   * once, or a gap. Read it *before* the data that it stands for, or let {@link snapshot} do so.
   */
  position(): Promise<string>;
  /**
   * A state together with a position of this channel, for a page or a REST answer from which a client goes on: the
   * position is read before `load` is called. Where the data is written *before* its message is published, nothing is
   * missing from the state; it may have newer messages too.
   *
   * @param own Where the data carries the position of the newest message that is in it (as `publish` gave it, stored
   * with the data): gives that. Then the state has the messages up to there and no more. `undefined` where there is none
   * yet. A position of an earlier life of the channel counts as the beginning of the present one.
   *
   * @example
   * ```ts
   * app.get("/api/board/:id", async (request, response) => {
   *   const { id } = request.params;
   *   response.json(await server.channel(`board/${id}`).snapshot(() => database.cards(id)));
   * });
   * ```
   */
  snapshot<S>(
    load: () => S | Promise<S>,
    own?: (state: S) => string | null | undefined,
  ): Promise<{ readonly state: S; readonly position: string }>;
  /** Reads what is kept, without making the channel. */
  history(options?: ServerHistoryOptions): Promise<ServerHistory<T>>;
  /** Deletes a key of a `latest` channel. */
  delete(key: string): Promise<Published>;
}

const NO_OPTIONS: ServerPublishOptions = {};

const PUBLISH_RULES: Rules<ServerPublishOptions> = {
  key: string,
  id: string,
  kind: oneOf("json", "text", "binary"),
};

const HISTORY_RULES: Rules<ServerHistoryOptions> = { since: string, limit: anything };

/** Most messages of a page where nothing else is said. */
const DEFAULT_LIMIT = 100;

/** Makes a {@link ServerChannel}. */
export function createServerChannel<T>(engine: Engine, spelling: string): ServerChannel<T> {
  const name = spelling.normalize("NFC");
  const read = (since: string | undefined, limit: number): Promise<Awaited<ReturnType<Engine["history"]>>> =>
    Promise.resolve(
      engine.history({ channel: name, since: parseSince(since), limit, wait: undefined }, SERVER_GRANTS),
    );
  return {
    name,
    async publish(data, options) {
      const { key, id, kind } = options ? readOptions("publish()", options, PUBLISH_RULES) : NO_OPTIONS;
      return published(
        await engine.publish({ channel: name, key, id, ...payload(data, kind) }, SERVER_GRANTS),
      );
    },
    async position() {
      return formatPosition(await engine.head(name));
    },
    async snapshot(load, own) {
      const head = await engine.head(name);
      const state = await load();
      return { state, position: formatPosition(own ? ownPosition(own(state), head) : head) };
    },
    async history(options) {
      const { since, limit = DEFAULT_LIMIT } = readOptions("history()", options, HISTORY_RULES);
      const { historyMessages } = engine.limits;
      if (!Number.isSafeInteger(limit) || limit < 1 || limit > historyMessages)
        throw new PartylineError(
          "bad-limit",
          `\`limit\` is a whole number from 1 to ${historyMessages}: ${limit}.`,
        );
      const answer = await read(since, limit);
      const { position, head, more, gap } = answer;
      const epoch = position?.epoch ?? "";
      return {
        messages: historyEntries(answer).map((entry) => message<T>(epoch, entry)),
        position: text(position),
        head: text(head),
        more,
        ...(gap ? { gap: gapFields(gap) } : {}),
      };
    },
    async delete(key) {
      return published(await engine.remove(name, key, SERVER_GRANTS));
    },
  };
}

function ownPosition(own: string | null | undefined, { epoch }: Position): Position {
  const position = own ? parsePosition(own) : undefined;
  // What an earlier life of the log brought is in the data, or lost: of the present one nothing is.
  return position && position.epoch >= epoch ? position : { epoch, offset: START_OFFSET };
}

function payload(data: unknown, kind: ServerPublishOptions["kind"]): Pick<PublishRequest, "kind" | "data"> {
  if (typeof data === "string" && kind !== "json") {
    return { kind: kind === "binary" ? "binary" : "text", data: encodeMessage(data) };
  }
  try {
    const bytes = bytesOf(data);
    // A copy, which `slice` of a Buffer is not: the caller may write to it again, and what is in the log may not change.
    if (bytes)
      return { kind: kind === "json" || kind === "text" ? kind : "binary", data: new Uint8Array(bytes) };
    return { kind: "json", data: encodeMessage(jsonOf(data)) };
  } catch (cause) {
    throw new PartylineError("bad-json", String(cause), {
      remedy: "Publish JSON, a string or bytes.",
      cause,
    });
  }
}

function published({ position, time, duplicate }: Appended): Published {
  return { position: formatPosition(position), time, duplicate };
}

function message<T>(epoch: string, entry: Entry): ServerMessage<T> {
  const { offset, time, kind, id, key } = entry;
  return {
    offset,
    position: formatPosition({ epoch, offset }),
    time,
    kind,
    ...(id === undefined ? {} : { id }),
    ...(key === undefined ? {} : { key }),
    data: value(entry) as T,
  };
}

function value({ kind, data }: Entry): unknown {
  switch (kind) {
    case "json":
      return JSON.parse(decodeText(data) ?? "null");
    case "text":
      return decodeText(data);
    case "binary":
      return new Uint8Array(data);
    case "deleted":
      return undefined;
  }
}

function text(position: Position | undefined): string | undefined {
  return position ? formatPosition(position) : undefined;
}
