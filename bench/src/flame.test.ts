import { expect, it } from "vitest";
import { callTree, type CpuProfile, flameGraph } from "./flame.ts";

const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: { functionName: "(root)", url: "" }, children: [2, 3, 5, 6] },
    { id: 2, callFrame: { functionName: "(idle)", url: "" } },
    {
      id: 3,
      callFrame: { functionName: "flush", url: "file:///x/packages/partyline/dist/core/turn.js" },
      children: [4],
    },
    { id: 4, callFrame: { functionName: "writeBuffer", url: "" } },
    { id: 5, callFrame: { functionName: "<listen>", url: "node:net" } },
    { id: 6, callFrame: { functionName: "import", url: "node:internal/modules/esm/loader" } },
  ],
  samples: [2, 3, 4, 4, 5, 6],
  timeDeltas: [1_000, 10, 20, 50, 20, 500],
};

it("calls have the time of what they call; idle time and the start are left out", () => {
  const { time, calls } = callTree(profile);
  expect(time).toBe(100);
  expect(calls.map((call) => [call.name, call.from, call.time])).toEqual([
    ["flush core/turn.js", "partyline", 80],
    ["<listen> node:net", "node", 20],
  ]);
  expect(calls[0]?.calls.map((call) => call.time)).toEqual([70]);
});

it("a flame graph is as wide as time, each row below its caller", () => {
  const svg = flameGraph("Where", callTree(profile));
  expect(svg).toContain('<rect class="partyline" x="0.0" y="66" width="768.0" height="18"/>');
  expect(svg).toContain('<rect class="outside" x="0.0" y="84" width="672.0" height="18"/>');
  expect(svg).toContain("&lt;listen&gt; node:net, 20.0 %");
});

it("a profile without a sample has no calls", () => {
  expect(callTree({ nodes: [], samples: [], timeDeltas: [] }).calls).toEqual([]);
});
