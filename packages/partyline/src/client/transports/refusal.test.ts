import { describe, expect, it } from "vitest";
import { createClientRig, EPOCH, WELCOME } from "../../testing/client-rig.ts";
import type { Frame } from "../../testing/scripted-websocket.ts";
import { createScriptedHttp, type ScriptedRequest, settleStreams } from "../../testing/scripted-fetch.ts";
import { readRefusal } from "./refusal.ts";

const NOW = Date.parse("2026-12-01T12:00:00Z");

const refusal = (status: number, headers: Record<string, string> = {}, body = "<html>") =>
  readRefusal(new Response(status === 204 ? null : body, { status, headers }), body, NOW);

const waitOf = (retryAfter: string) => refusal(429, { "retry-after": retryAfter }).error.retryAfter;

describe("Retry-After of a proxy", () => {
  it.each([
    ["120", 120],
    ["1.5", 1.5],
    ["Tue, 01 Dec 2026 12:02:00 GMT", 120],
  ])("%s asks for its seconds", (header, seconds) => expect(waitOf(header)).toBe(seconds));

  it.each(["2160000", "1e999", "Fri, 01 Dec 2028 12:00:00 GMT"])("%s counts as an hour", (header) =>
    expect(waitOf(header)).toBe(3_600),
  );

  it.each(["", "0", "-5", "soon", "NaN", "Tue, 01 Dec 2020 12:00:00 GMT"])("%j counts as none", (header) =>
    expect(waitOf(header)).toBeUndefined(),
  );
});

it.each([Number.NaN, -1, 0, "soon", null, {}, 2_160_000])(
  "retryAfter %j of a server is a time of at most an hour, or none",
  (retryAfter) => {
    const problem = { code: "overloaded", detail: "", remedy: "", retryAfter };
    const body = JSON.stringify(problem).replace('"retryAfter":null', '"retryAfter":1e999');
    const { error } = refusal(503, { "content-type": "application/problem+json" }, body);
    expect([undefined, 3_600]).toContain(error.retryAfter);
    expect(error.code).toBe("overloaded");
  },
);

/** A polling client that is live, and the `POST`s of commands that it makes. */
async function publisher() {
  const http = createScriptedHttp();
  const rig = createClientRig({ transports: ["poll"], fetch: http.fetch });
  await settleStreams();
  http.requests[0]?.say(WELCOME);
  await settleStreams();
  const posts = (): ScriptedRequest[] => http.requests.filter(({ frames }) => "id" in (frames[1] ?? {}));
  const dataOf = (request: ScriptedRequest | undefined) => request?.frames.slice(1).map(({ data }) => data);
  const store = (request: ScriptedRequest | undefined): void =>
    request?.say(
      ...request.frames
        .slice(1)
        .map(({ n }): Frame => ({ t: "result", n, position: `${EPOCH}:${String(n)}` })),
    );
  return { http, rig, posts, dataOf, store };
}

describe("a POST of commands", () => {
  it("that the server finds too large is sent again in halves, and rejects what is too large alone [CONN-8]", async () => {
    const { rig, posts, dataOf, store } = await publisher();
    const room = rig.client.channel("a");
    const all = ["one", "two", "three", "four"].map((data) => room.publish(data));
    const settled = Promise.allSettled(all);
    await settleStreams();
    expect(dataOf(posts()[0])).toEqual(["one", "two", "three", "four"]);
    posts()[0]?.refuse(413, { code: "too-large", detail: "too much" });
    await settleStreams();
    expect(dataOf(posts()[1])).toEqual(["one", "two"]);
    posts()[1]?.refuse(413, { code: "too-large", detail: "too much" });
    await settleStreams();
    expect(dataOf(posts()[2])).toEqual(["one"]);
    posts()[2]?.refuse(413, { code: "too-large", detail: "too much" });
    await settleStreams();
    for (let post = 3; post < posts().length; post++) {
      store(posts()[post]);
      await settleStreams();
    }
    expect(await settled).toMatchObject([
      { status: "rejected", reason: { code: "too-large", message: "too much" } },
      { status: "fulfilled" },
      { status: "fulfilled" },
      { status: "fulfilled" },
    ]);
    expect(posts().slice(3).flatMap(dataOf)).toEqual(["two", "three", "four"]);
  });

  it.each([
    ["the server", { code: "rate-limited", detail: "", retryAfter: 7 }, {}],
    ["a proxy", undefined, { "retry-after": "7" }],
  ] as const)(
    "that %s puts off is repeated as told, while the poll goes on [CONN-10]",
    async (_, problem, headers) => {
      const { http, rig, posts, store } = await publisher();
      const published = rig.client.channel("a").publish(1);
      await settleStreams();
      const [poll] = http.requests.slice(1);
      posts()[0]?.refuse(429, problem, headers);
      await settleStreams();
      rig.clock.advance(6_999);
      await settleStreams();
      expect([posts().length, poll?.aborted, rig.client.state.status]).toEqual([1, false, "live"]);
      rig.clock.advance(501);
      await settleStreams();
      expect(posts()[1]?.frames[1]).toMatchObject({ id: posts()[0]?.frames[1]?.["id"], first: true });
      store(posts()[1]);
      expect(await published).toMatchObject({ duplicate: false });
    },
  );

  it("that is not answered is given up and repeated, and the poll is checked [CONN-10]", async () => {
    const { http, rig, posts, store } = await publisher();
    const published = rig.client.channel("a").publish(1);
    await settleStreams();
    const [poll] = http.requests.slice(1);
    // The poll's answer comes in time, the response to the commands does not.
    rig.clock.advance(20_000);
    poll?.say(WELCOME);
    await settleStreams();
    rig.clock.advance(15_000);
    await settleStreams();
    expect(posts()[0]?.aborted).toBe(true);
    const check = http.requests.at(-1);
    expect(check?.frames).toMatchObject([{ t: "hello", wait: 0.001 }]);
    check?.say(WELCOME);
    await settleStreams();
    rig.clock.advance(500);
    await settleStreams();
    store(posts()[1]);
    expect(await published).toMatchObject({ duplicate: false });
    expect(rig.client.state).toMatchObject({ status: "live", since: 0 });
  });

  it("that refuses the client itself closes it", async () => {
    const { rig, posts } = await publisher();
    const published = rig.client.channel("a").publish(1);
    published.catch(() => undefined);
    await settleStreams();
    posts()[0]?.refuse(401, { code: "unauthorized", detail: "no" });
    await expect(published).rejects.toMatchObject({ code: "unauthorized" });
    expect(rig.client.state).toMatchObject({ status: "closed", reason: { code: "unauthorized" } });
  });
});
