/** Bugs of others in timers that fire in the very moment in which what they wait for comes. */
import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/core/ports.ts";
import { createVirtualClock, type VirtualClock } from "../../src/testing/virtual-clock.ts";
import { type LineRig, startLineRig } from "../support/line-rig.ts";
import { until } from "../support/until.ts";

/** Time by hand, turns of the real event loop. */
function clockOf(time: VirtualClock): Clock {
  return {
    now: () => time.now(),
    setTimer: (fire, delay) => time.setTimer(fire, delay),
    nextTurn: (fire) => void setImmediate(fire),
  };
}

interface Polled {
  readonly data: unknown[];
  readonly position: string;
}

/** The two ways to poll, as one: what was in the answer, and where it goes on. */
const POLLS = [
  {
    name: "a long poll in JSON",
    poll: async ({ url }: LineRig, since: string): Promise<Polled> => {
      const response = await fetch(`${url}/channels/a?wait=10&since=${since}`);
      const body = (await response.json()) as { messages: { data: unknown }[]; position: string };
      return { data: body.messages.map(({ data }) => data), position: body.position };
    },
  },
  {
    name: "a long poll of /connect",
    poll: async ({ url }: LineRig, since: string): Promise<Polled> => {
      const body = `{"t":"hello","v":1,"wait":10}\n{"t":"attach","n":1,"channel":"a","since":"${since}"}`;
      const text = await (await fetch(`${url}/connect`, { method: "POST", body })).text();
      const frames = text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { t: string; data?: unknown; offset?: number; position?: string });
      const messages = frames.filter(({ t }) => t === "m");
      const position = frames.find(({ t }) => t === "attached")?.position ?? "";
      const offset = messages.at(-1)?.offset;
      return {
        data: messages.map(({ data }) => data),
        position: offset === undefined ? position : `${position.split(":")[0]}:${offset}`,
      };
    },
  },
];

describe.each(POLLS)("$name", ({ poll }) => {
  it.each(["before", "after"])(
    "whose time is up in the moment of a message, %s it, is answered, and nothing is lost (resumable-stream#50)",
    async (when) => {
      const time = createVirtualClock(1_000_000);
      await using rig = await startLineRig({ clock: clockOf(time), intervals: { mark: 600_000 } });
      await rig.publish("0");
      const since = await rig.server.channel("a").position();
      const answer = poll(rig, since);
      await until(() => rig.server.counters().attached?.[""] === 1);
      time.advance(9_999);
      if (when === "before") time.advance(1);
      const published = rig.publish("1");
      if (when === "after") time.advance(1);
      await published;

      const { data, position } = await answer;
      const rest = data.length === 0 ? (await poll(rig, position)).data : [];
      expect([...data, ...rest]).toEqual(["1"]);
    },
  );

  it("that nothing came for is answered empty at its very time, at the position it asked from (resumable-stream#50)", async () => {
    const time = createVirtualClock(1_000_000);
    await using rig = await startLineRig({ clock: clockOf(time) });
    await rig.publish("0");
    const since = await rig.server.channel("a").position();
    const answer = poll(rig, since);
    await until(() => rig.server.counters().attached?.[""] === 1);
    time.advance(10_000);
    expect(await answer).toEqual({ data: [], position: since });
  });
});
