/** Matches as somebody follows them whose network lets them down. */
import { createTestNetwork, type TestClient, type TestNetwork } from "partyline/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { channels, createScores, type Scores } from "../src/app.ts";
import type { MatchEvent } from "../src/events.ts";
import { EMPTY_MATCH, type MatchModel, reduceMatch } from "../src/page/match-model.ts";

const MATCH = "scores/1/mex-rsa";

let net: TestNetwork;
let scores: Scores;

/** Follows the match as a page does: what it knows is made of the messages, and void after a gap. */
function follow(client: TestClient): { match: MatchModel; gaps: number } {
  const page = { match: EMPTY_MATCH, gaps: 0 };
  const channel = client.channel<MatchEvent>(MATCH, { since: "earliest", onGap: "continue" });
  channel.on("message", ({ data }) => (page.match = reduceMatch(page.match, data)));
  channel.on("gap", () => {
    page.match = EMPTY_MATCH;
    page.gaps += 1;
  });
  return page;
}

/** Lets minutes of the match pass, at sixty times the pace of life. */
async function play(minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    await net.advance(1_000);
    scores.replay.tick();
  }
  await net.advance(0);
}

beforeEach(async () => {
  net = await createTestNetwork({ channels });
  scores = createScores(net.server, net.now);
  scores.replay.start("2026-06-11");
});

afterEach(() => net.close());

describe("a match", () => {
  it("is the same for who was cut off all the time as for who was not", async () => {
    const lucky = follow(await net.client());
    const unlucky = await net.client();
    const page = follow(unlucky);
    for (let cut = 0; cut < 12; cut += 1) {
      await play(10);
      unlucky.line.cut();
    }
    await net.settled();
    expect(page).toEqual(lucky);
    expect(page).toMatchObject({ gaps: 0, match: { score: [2, 0], phase: "over" } });
  });

  it("has its score also for who was away for so long that its goals are gone", async () => {
    const client = await net.client();
    const page = follow(client);
    await play(5);
    client.line.unplug();
    await play(30);
    net.trim(MATCH);
    client.line.mend();
    await play(85);
    await net.settled();
    expect(page).toMatchObject({ gaps: 1, match: { score: [2, 0], phase: "over" } });
    expect(page.match.feed.flatMap((line) => (line.kind === "goal" ? line.minute : []))).toEqual(["67"]);
  });
});
