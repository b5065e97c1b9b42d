import type { ViolationKind } from "../../../src/testing/oracle/index.ts";

/** A bug put in on purpose: one line of one source file, rewritten when it is loaded. */
export interface Mutant {
  readonly name: string;
  /** Below `src`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** One of the fixed seeds that finds it; the others are played where it does so no more. */
  readonly seed: number;
  /** What the oracle must say of it, one of these. */
  readonly breaks: readonly ViolationKind[];
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "dedupe is off",
    file: "brokers/memory/ids.ts",
    find: "const known = this.#known.get(id);",
    replace: "const known = undefined as KnownId | undefined;",
    seed: 4,
    breaks: ["doubled"],
  },
  {
    name: "catch-up joins the live messages one too late",
    file: "core/step.ts",
    find: 'if (cursor.last >= tail.head) return { do: "live" };',
    replace: 'if (cursor.last + 1 >= tail.head) return { do: "live" };',
    seed: 4,
    breaks: ["behind"],
  },
  {
    name: "a cursor that has caught up counts one message more than it was given",
    file: "core/reader.ts",
    find: "cursor.last = page.item.entries.at(-1)?.offset ?? cursor.last;",
    replace: "cursor.last = 1 + (page.item.entries.at(-1)?.offset ?? cursor.last);",
    seed: 5,
    breaks: ["lost"],
  },
  {
    name: "the client does not tell the gap",
    file: "client/subscription.ts",
    find: "if (gap) jumped(gap);",
    replace: "",
    seed: 1,
    breaks: ["lost"],
  },
  {
    name: "the server does not tell the gap",
    file: "brokers/memory/memory-broker.ts",
    find: "return { position, gap, entries:",
    replace: "return { position, gap: undefined, entries:",
    seed: 9,
    breaks: ["lost"],
  },
  {
    name: "a lagging cursor skips to the head",
    file: "core/reader.ts",
    find: "(this.#lagging ??= new Lagging()).addFresh(cursor);",
    replace: "(this.#lagging ??= new Lagging()).addFresh(cursor); cursor.last = cursor.channel.head.offset;",
    seed: 42,
    breaks: ["lost"],
  },
  {
    name: "unsettled publishes are sent again newest first",
    file: "client/outbox.ts",
    find: "    next = 0;\n    markFirst = first;",
    replace: "    queue.reverse();\n    next = 0;\n    markFirst = first;",
    seed: 1,
    breaks: ["misordered"],
  },
  {
    name: "a refused publish is overtaken by the next",
    file: "core/held-channels.ts",
    find: "(this.#since.get(name) ?? place) < place",
    replace: "false",
    seed: 20,
    breaks: ["misordered"],
  },
  {
    name: "publishes on a new connection overtake those that are unsettled",
    file: "client/outbox.ts",
    find: '      if (gate === "closed") gate = "open";\n      sendAll(false);',
    replace: '      if (gate === "closed") gate = "open";',
    seed: 1,
    breaks: ["misordered", "unsettled"],
  },
  {
    name: "a repeat has a new id",
    file: "client/publisher.ts",
    find: "${publish.fields}",
    replace: '${attempt > 1 ? publish.fields.replace(/"id":"/, \'"id":"again-\') : publish.fields}',
    seed: 1,
    breaks: ["foreign"],
  },
  {
    name: "a reader takes what it has already",
    file: "client/read-log.ts",
    find: 'if (position.epoch !== cursor?.epoch || position.offset <= cursor.offset) return "drop";',
    replace: 'if (position.epoch !== cursor?.epoch) return "drop";',
    seed: 4,
    breaks: ["doubled", "reordered"],
  },
  {
    name: "a new life of a log has the name of the old one",
    file: "brokers/memory/epoch.ts",
    find: 'return time.toString(36).padStart(8, "0") + part.toString(36).padStart(4, "0");',
    replace: 'return "000000000000";',
    seed: 13,
    breaks: ["disagreement", "vanished", "lost", "false-gap"],
  },
  {
    name: "a full socket is written to no more",
    file: "core/live-cursors.ts",
    find: "      } else cursor.lag();",
    replace: "      } else cursor.last = last;",
    seed: 49,
    breaks: ["lost", "behind"],
  },
  {
    name: "a reader right before what is kept is told a gap",
    file: "brokers/memory/log.ts",
    find: "return head - this.length;",
    replace: "return head - this.length + 1;",
    seed: 6,
    breaks: ["false-gap"],
  },
  {
    name: "an attach is taken at its word, wherever the reader is",
    file: "client/read-log.ts",
    find: 'return position.epoch === cursor.epoch && position.offset <= cursor.offset ? cursor : "reattach";',
    replace: "return position;",
    seed: 4,
    breaks: ["doubled", "lost", "reordered"],
  },
  {
    name: "a stream whose server drains is told to go on one too late",
    file: "transports/raw-sse.ts",
    find: "this.end(drainEvent(position && formatPosition(position), parting));",
    replace:
      "this.end(drainEvent(position && formatPosition({ ...position, offset: position.offset + 1 }), parting));",
    seed: 42,
    breaks: ["lost", "false-gap"],
  },
  {
    name: "who asked for less is not given the newest message",
    file: "core/step.ts",
    find: 'return { do: "skip", to: tail.head - 1 };',
    replace: 'return { do: "skip", to: tail.head };',
    seed: 4,
    breaks: ["lost"],
  },
  {
    name: "a skip tells one message less than it leaves out",
    file: "core/reader.ts",
    find: 'this.#tell(cursor, { is: "skip", from, to: { epoch: cursor.epoch, offset: to } });',
    replace: 'this.#tell(cursor, { is: "skip", from, to: { epoch: cursor.epoch, offset: to - 1 } });',
    seed: 1,
    breaks: ["lost", "false-skip"],
  },
  {
    name: "a later page sends under other ids what an earlier one has left",
    file: "client/indexed-db/stored-outbox.ts",
    find: "const repeat = {\n        id,",
    replace: "const repeat = {\n        id: `again-${id}`,",
    seed: 55,
    breaks: ["foreign", "unsettled"],
  },
  {
    name: "a tab that shares is not given what it is behind by",
    file: "client/share/feed.ts",
    find: "const missed = tail.filter(({ to }) => to > place.offset);",
    replace: "const missed: Piece[] = [];",
    seed: 6,
    breaks: ["behind"],
  },
  {
    name: "a later page does not send what an earlier one has left",
    file: "client/indexed-db/shelf.ts",
    find: "const publish = parts.get(name)?.restore(stored, stored.at || time);",
    replace: "const publish = undefined as Publish | undefined;",
    seed: 55,
    breaks: ["unsettled"],
  },
];
