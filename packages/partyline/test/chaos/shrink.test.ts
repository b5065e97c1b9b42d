import { describe, expect, it } from "vitest";
import { generateHistory } from "./generate.ts";
import { describeStep, type History, type Step } from "./history.ts";
import { type Kind, KINDS } from "./kinds/kinds.ts";
import { shrinkHistory } from "./shrink.ts";

const of = (steps: readonly Step[]): History => ({ ...generateHistory(1), steps });
const noise: readonly Step[] = Array.from({ length: 30 }, (_, ms) => ({ do: "pass", ms: ms + 20 }));

describe("a history that fails", () => {
  it("is cut down to the steps that it needs, and those are made simple", async () => {
    const publish: Step = { do: "publish", client: 0, channel: "small", count: 80, bytes: 500 };
    const history = of([...noise, { do: "kill" }, ...noise, publish, ...noise]);
    const shortest = await shrinkHistory(
      history,
      async ({ steps }) =>
        steps.some((step) => step.do === "publish" && step.count > 10) &&
        steps.some((step) => step.do === "kill"),
      () => true,
    );
    expect(shortest.steps).toEqual([{ do: "kill" }, { ...publish, bytes: 0 }]);
  });

  it("is left as it is where time is up", async () => {
    const history = of(noise);
    expect(
      await shrinkHistory(
        history,
        async () => true,
        () => false,
      ),
    ).toBe(history);
  });
});

describe("a generated history", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(generateHistory(7)).toEqual(generateHistory(7));
    expect(generateHistory(8).steps).not.toEqual(generateHistory(7).steps);
  });

  it("stays as it is without one kind of trouble, apart from the steps and clients of that kind", () => {
    const steps = (kinds: readonly Kind[]): string[] =>
      generateHistory(28, kinds).steps.map((step) =>
        JSON.stringify({ ...step, ...("client" in step && { client: 0 }) }),
      );
    for (const kind of KINDS) {
      const others = KINDS.filter((other) => other !== kind);
      const left = [...steps(KINDS)];
      for (const step of steps(others)) left.splice(left.indexOf(step), 1);
      expect(left).toHaveLength(steps([kind]).length - steps([]).length);
    }
  });

  it("has all kinds of steps among a hundred", () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < 100; seed++)
      for (const step of generateHistory(seed).steps) kinds.add(step.do === "fault" ? step.fault : step.do);
    expect([...kinds].toSorted((one, other) => (one < other ? -1 : 1))).toMatchInlineSnapshot(`
      [
        "blackhole",
        "buffer",
        "calm",
        "close",
        "continue",
        "cut",
        "delay",
        "delete",
        "doubt",
        "drain",
        "forget",
        "freeze",
        "halfClose",
        "iterate",
        "jump",
        "kill",
        "lead",
        "leave",
        "mend",
        "online",
        "pass",
        "pause",
        "post",
        "proxy",
        "publish",
        "read",
        "refuse",
        "reload",
        "resume",
        "split",
        "start",
        "stop",
        "storm",
        "stream",
        "stripUpgrade",
        "switch",
        "thaw",
        "throttle",
        "trespass",
        "unplug",
      ]
    `);
    expect(describeStep({ do: "fault", client: 1, fault: "delay", amount: 3 })).toBe(
      "fault client=1 fault=delay amount=3",
    );
  });
});
