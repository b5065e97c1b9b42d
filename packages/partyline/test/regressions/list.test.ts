/**
 * Bugs that other libraries had, which this one is not to have. Each is the name of a thread in its tracker, and stands
 * in the title of a test, here or where it is nearer to the code (`client/watch.test.ts`, `client/connection.test.ts`).
 */
import { describe, expect, it } from "vitest";
import { listFiles, packageFolder, readText } from "../support/source.ts";

const LIST = [
  "socket.io#5538", // resume with zero events received
  "socket.io#5419", // resume twice while idle
  "streams-adapter#26", // resume milliseconds after the connect
  "streams-adapter#48", // resume a minute after the connect
  "streams-adapter#27", // resume after the node was killed
  "mercure#704", // an unknown cursor
  "GHSA-84j6", // a foreign cursor
  "frontmcp#529", // a garbled cursor
  "hono#4644", // CR and LF in an event stream
  "hono#5138", // an empty id
  "resumable-stream#47", // the end is lost in transit
  "resumable-stream#48", // many reconnects leave one listener
  "resumable-stream#30", // a subscription at the broker is left behind; one connection each is a matter of its broker
  "resumable-stream#50", // a timer fires on the exact boundary
  "trpc#6547", // the first frame waits for who it is
  "partysocket 2026-06", // sent while the socket is replaced
  "streams-adapter#32", // the broker starts anew under live nodes
  "fetch-event-source#36", // switching tabs posts again
  "Flowise#5884", // a storm of subscriptions
  "fastify/sse#57", // close() with open event streams
  "upstash/realtime#23", // what comes between a snapshot and the attach
];

/**
 * The other bugs of the same kind can't be had yet: a stream that ends by itself at its longest duration
 * (trpc#7094), presence that is entered again (ably-js#2241) and a producer that is stopped through a stream that was
 * resumed (ai#18458) are about what is not there. Connections to a broker that are never closed
 * (resumable-stream#30) need a broker behind a network.
 */
const WITHOUT: readonly string[] = ["trpc#7094", "ably-js#2241", "ai#18458"];

describe("every bug of the list", () => {
  const files = listFiles(packageFolder, ".test.ts").filter(
    (file) => !file.endsWith("regressions/list.test.ts"),
  );
  const titles = files.flatMap((file) =>
    [...readText(packageFolder, file).matchAll(/^\s*["'](.*)["'],?$|\bit\("(.*)"/gm)].map(
      ([, own, line]) => own ?? line ?? "",
    ),
  );

  it.each(LIST)("%s is in the title of a test", (bug) => {
    const named = titles.filter((title) => /\((.*)\)/.exec(title)?.[1]?.split(", ").includes(bug));
    expect(named).not.toEqual([]);
  });

  it("or needs what is not there, and then no test names it", () => {
    expect(titles.filter((title) => WITHOUT.some((bug) => title.includes(`(${bug}`)))).toEqual([]);
  });
});
