/** Parsers of event streams that are in use and keep to the standard only nearly, over all that our streams may hold. */
import { request } from "node:http";
import { expect, it } from "vitest";
import { createPartyline } from "../src/server.ts";
import { silent } from "./support/line-rig.ts";
import { deferred } from "./transport/probe.ts";

interface Event {
  readonly name: string;
  readonly data: string;
}

interface Parser {
  readonly who: string;
  /** Is a block without data an event? The standard says no. */
  readonly emptyCounts: boolean;
  readonly lines: RegExp;
  value(text: string): string;
}

const STANDARD: Parser = {
  who: "the standard",
  emptyCounts: false,
  lines: /\r\n|\n|\r/,
  value: (text) => text.replace(/^ /, ""),
};

const NEARLY: readonly Parser[] = [
  { ...STANDARD, who: "one that makes an event of a block without data", emptyCounts: true },
  { ...STANDARD, who: "one that takes LF alone for a line's end", lines: /\n/ },
  { ...STANDARD, who: "one that drops all space before a value", value: (text) => text.trimStart() },
];

function parse(parser: Parser, stream: string): Event[] {
  const events: Event[] = [];
  let name = "message";
  let data: string[] = [];
  let fields = 0;
  for (const line of stream.split(parser.lines)) {
    const [, field = "", text = ""] = /^([^:]*):?([^]*)$/.exec(line) ?? [];
    if (line === "") {
      if (data.length > 0 || (parser.emptyCounts && fields > 0)) events.push({ name, data: data.join("\n") });
      name = "message";
      data = [];
      fields = 0;
    } else if (field !== "") fields++;
    if (field === "event") name = parser.value(text);
    if (field === "data") data.push(parser.value(text));
  }
  return events;
}

/** Streams of both kinds with every kind of event in them: as text, whole lines. */
async function record(): Promise<string[]> {
  await using server = createPartyline({
    logger: silent,
    channels: { "latest/*": { keep: "latest" }, "**": { retention: { count: 3 } } },
    heartbeat: { comment: 1 },
    // Later than the comment, which comes when nothing was written for a second.
    intervals: { mark: 2_500 },
  });
  const { url } = await server.listen(0);
  const all = server.channel("all");
  const latest = server.channel("latest/all");
  for (const n of [1, 2, 3, 4]) await all.publish({ n });
  for (const key of ["x", "y", "y"]) await latest.publish("value", { key });
  const epoch = (await all.position()).split(":")[0];

  const streams = [
    open(`${url}/channels/all`, { "last-event-id": `${epoch}:0` }),
    open(`${url}/channels/latest/all`, {}),
    open(`${url}/events?channel=all&channel=latest/all`, { "last-event-id": `v1,${epoch}:0,-` }),
  ];
  await Promise.all(streams.map(({ opened }) => opened));
  await all.publish("text\nof two lines", { kind: "text" });
  await all.publish("a CR\rin it", { kind: "text" });
  await all.publish(Uint8Array.of(0, 255));
  await all.publish("", { kind: "text" });
  await latest.delete("x");
  await Promise.all(streams.map(({ quiet }) => quiet));
  await server.close();
  return await Promise.all(streams.map(({ ended }) => ended));
}

function open(
  url: string,
  headers: Record<string, string>,
): { opened: Promise<void>; quiet: Promise<void>; ended: Promise<string> } {
  let text = "";
  const has = deferred<void>();
  const commented = deferred<void>();
  const ended = new Promise<string>((resolve, reject) => {
    const asking = request(url, { headers: { ...headers, accept: "text/event-stream" } }, (response) => {
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
        if (/^event: (continuous|gap)$/m.test(text)) has.resolve();
        if (/^:/m.test(text) && text.includes("event: mark")) commented.resolve();
      });
      response.on("end", () => resolve(text));
    });
    asking.on("error", reject).end();
  });
  return { opened: has.promise, quiet: commented.promise, ended };
}

it("gives the same events to parsers that keep to the standard only nearly [SSE-2, SSE-10]", async () => {
  const streams = await record();
  const names = new Set(streams.flatMap((stream) => parse(STANDARD, stream).map(({ name }) => name)));
  expect(names).toEqual(
    new Set(["continuous", "gap", "message", "base64", "deleted", "skip", "mark", "error"]),
  );
  for (const parser of NEARLY)
    for (const stream of streams)
      expect({ who: parser.who, events: parse(parser, stream) }).toEqual({
        who: parser.who,
        events: parse(STANDARD, stream),
      });
});
