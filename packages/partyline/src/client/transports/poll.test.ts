import { describe, expect, it } from "vitest";
import { attachedAt, createClientRig, messageAt, WELCOME } from "../../testing/client-rig.ts";
import type { Frame } from "../../testing/scripted-websocket.ts";
import { settleStreams } from "../../testing/scripted-fetch.ts";

const lines = (...frames: Frame[]): string => frames.map((frame) => JSON.stringify(frame)).join("\n");

/** A polling client for 60 s, in steps of 50 ms, against something that answers each request at once. */
async function pollFor60s(answer: (request: number) => string) {
  const waits: number[] = [];
  const rig = createClientRig({
    transports: ["poll"],
    fetch: async (_url, init) => {
      waits.push((JSON.parse(String(init?.body as string).split("\n")[0] ?? "") as { wait: number }).wait);
      const text = answer(waits.length - 1);
      // A turn of the event loop, so that a client that never pauses can't starve the test.
      await new Promise((resolve) => setImmediate(resolve));
      return new Response(text);
    },
  });
  const got: number[] = [];
  rig.client.channel("a").on("message", ({ offset }) => got.push(offset));
  for (let step = 0; step < 1_200; step++) {
    await settleStreams();
    rig.clock.advance(50);
  }
  const { status } = rig.client.state;
  await rig.client.close();
  return { requests: waits.length, waits, got, status, timers: rig.clock.timers };
}

describe("polls that are answered at once", () => {
  it.each([
    ["an object", "{}"],
    ["an array", "[]"],
    ["a newline", "\n"],
    ["nothing", ""],
    ["HTML", "<html>"],
    ["null", "null"],
    ["a frame of an unknown type", lines({ t: "weather" })],
    ["an attached without welcome", lines(attachedAt(1, 7))],
  ])("by %s are failed attempts, repeated with backoff [CONN-12]", async (_, answer) => {
    const { requests, status, waits } = await pollFor60s(() => answer);
    expect(requests).toBeLessThan(12);
    expect(new Set(waits)).toEqual(new Set([0.001]));
    expect(status).toBe("connecting");
  });

  it.each([
    ["welcome alone", lines(WELCOME)],
    ["the same position", lines(WELCOME, attachedAt(1, 7))],
    ["a message that was there before", lines(WELCOME, attachedAt(1, 7), messageAt(7))],
  ])("by %s are repeated with backoff, on the same connection [CONN-11]", async (_, answer) => {
    const { requests, status, timers } = await pollFor60s(() => answer);
    expect(requests).toBeLessThan(16);
    expect([status, timers]).toEqual(["live", 0]);
  });

  it("by news are repeated at once [CONN-11]", async () => {
    const { requests, got } = await pollFor60s((n) => lines(WELCOME, attachedAt(1, n), messageAt(n + 1)));
    expect(requests).toBeGreaterThan(1_000);
    // The last one may still be under way.
    expect(got.length).toBeGreaterThanOrEqual(requests - 1);
  });

  it("by news again after a while without any are repeated at once again", async () => {
    const { requests } = await pollFor60s((n) =>
      lines(WELCOME, attachedAt(1, Math.min(n, 100)), ...(n < 100 ? [messageAt(n + 1)] : [])),
    );
    expect(requests).toBeLessThan(120);
  });
});

it("a poll that is answered without welcome after others ends the connection, which is tried again with backoff", async () => {
  const { requests, status } = await pollFor60s((n) => (n % 2 === 0 ? lines(WELCOME) : "{}"));
  expect(requests).toBeLessThan(24);
  expect(["live", "reconnecting"]).toContain(status);
});
