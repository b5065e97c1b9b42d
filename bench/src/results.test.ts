import { expect, it } from "vitest";
import { chart, escapeXml } from "./chart.ts";
import { type BenchmarkResult, describeResult, format, renewPage, type Results } from "./results.ts";

const result: BenchmarkResult = {
  title: "Fan-out",
  describe: "Some load.",
  numbers: { readers: 2 },
  columns: [
    { key: "cpu", head: "CPU, µs", digits: 1, chart: "CPU <time>, µs" },
    { key: "lost", head: "lost", digits: 0 },
  ],
  rows: [
    {
      subject: "partyline",
      runs: [
        { cpu: 3, lost: 0, load: 97 },
        { cpu: 1, lost: 0, load: 99 },
        { cpu: 1_500, lost: 2, load: 20 },
      ],
    },
    { subject: "A & B", runs: [], missing: "not there: no network" },
  ],
  busy: [0.5, 1],
  stolen: 3.14,
};

const results: Results = {
  machine: {
    date: "2026-11-26T10:00:00Z",
    node: "26.10.0",
    system: "Linux 6",
    processor: "a processor",
    cores: 2,
    placement: "Nothing was pinned.",
  },
  benchmarks: { "fan-out": result },
};

it("a table has medians, their spread, who is missing and why, and where the load generator was at its end", () => {
  expect(describeResult(result)).toBe(
    [
      "Some load.",
      "| server | CPU, µs | lost |\n|---|--:|--:|\n| partyline † | 3.0 (1.0–1\u2009500.0) | 0 |\n| A & B | not there |  |",
      "Medians of 3 runs (least to most). The machine's load went from 0.5 to 1.0. Its host gave 3.1 % of its time to others.",
      "† The load generator was busy itself: the server may be faster than this.",
      "A & B: not there: no network.",
    ].join("\n\n"),
  );
});

it("figures have thin spaces between thousands", () => {
  expect([format(1_234_567, 0), format(999.96, 1), format(-1_000, 0), format(Number.NaN, 1)]).toEqual([
    "1\u2009234\u2009567",
    "1\u2009000.0",
    "-1\u2009000",
    "",
  ]);
});

it("a page is renewed between its marks, and only where there are new figures", () => {
  const page =
    "a\n<!-- bench: fan-out -->\nold\n<!-- /bench -->\nb\n<!-- bench: idle -->\nkept\n<!-- /bench -->\nc";
  const none = (): undefined => undefined;
  const renewed = renewPage(page, results, none);
  expect(renewed).toBe(page.replace("old", `\n${describeResult(result)}\n`));
  expect(renewPage(renewed, results, none)).toBe(renewed);
  expect(renewPage(page, results, (name) => `charts/${name}.svg`)).toContain("as bars](charts/fan-out.svg)");
});

it("a chart has a bar for each subject that was measured, and says the same in words", () => {
  const svg = chart(result) ?? "";
  expect(svg.match(/<rect/g)).toHaveLength(1);
  expect(svg).toContain('<title id="title">Fan-out</title>');
  expect(svg).toContain("CPU &lt;time&gt;, µs: partyline 3.0.</desc>");
  expect(svg).not.toContain("A &amp; B");
});

it("without figures there is no chart", () => {
  expect(chart({ ...result, rows: [] })).toBeUndefined();
});

it("what means something in XML is escaped", () => {
  expect(escapeXml(`<a href="x">&</a>`)).toBe("&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;");
});
