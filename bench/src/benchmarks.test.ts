/** Each benchmark, in a tiny size and beside few others, so that it runs when somebody needs it. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { BENCHMARKS } from "./benchmarks.ts";
import { chart } from "./chart.ts";
import { run } from "./run.ts";

beforeAll(async () => {
  const source = join(import.meta.dirname, "../../packages/partyline/src");
  await build({
    entryPoints: {
      partyline: join(source, "index.ts"),
      "partyline/client": join(source, "client/index.ts"),
      "partyline/workers": join(source, "workers/index.ts"),
    },
    outdir: join(import.meta.dirname, "../../node_modules/.cache/bench"),
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
  });
  vi.stubEnv("NODE_OPTIONS", `--import=${pathToFileURL(join(import.meta.dirname, "bundled.ts")).href}`);
});

/** Those that are installed when they are wanted, and one more that is like `ws`. */
const LEFT_OUT = /Bun|better-sse|socket\.io/;

/** They differ from `fan-out` in figures only: one subject will do. Of the others the first two and the last. */
const LIKE_ANOTHER = ["burst", "flood"];

describe.concurrent.each(Object.entries(BENCHMARKS))("%s", (name, benchmark) => {
  it("measures this server and yardsticks, and loses nothing", async () => {
    const subjects = benchmark.subjects
      .filter((subject) => !LEFT_OUT.test(subject.name))
      .filter(
        (__, index, { length }) =>
          index === 0 || (!LIKE_ANOTHER.includes(name) && (index === 1 || index === length - 1)),
      );
    const result = await run(
      { ...benchmark, subjects },
      { numbers: benchmark.tiny, runs: 1, only: "", progress: () => undefined },
    );
    expect(result.rows.map(({ missing }) => missing)).toEqual(subjects.map(() => undefined));
    expect(result.rows.map(({ runs: [figures] }) => figures?.["lost"] ?? 0)).toEqual(subjects.map(() => 0));
    expect(chart(result)).toContain(benchmark.title);
  }, 120_000);
});
