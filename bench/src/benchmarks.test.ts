/** Each benchmark, in a tiny size and beside `ws` alone, so that it runs when somebody needs it. */
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
    entryPoints: { partyline: join(source, "index.ts"), "partyline/client": join(source, "client/index.ts") },
    outdir: join(import.meta.dirname, "../../node_modules/.cache/bench"),
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
  });
  vi.stubEnv("NODE_OPTIONS", `--import=${pathToFileURL(join(import.meta.dirname, "bundled.ts")).href}`);
});

describe.concurrent.each(Object.entries(BENCHMARKS))("%s", (_, benchmark) => {
  it("measures this server and ws, and loses nothing", async () => {
    const subjects = benchmark.subjects.filter(({ name }) => /^(partyline|ws\b)/.test(name));
    const result = await run(
      { ...benchmark, subjects },
      { numbers: benchmark.tiny, runs: 1, only: "", progress: () => undefined },
    );
    expect(result.rows.map(({ missing }) => missing)).toEqual(subjects.map(() => undefined));
    expect(result.rows.map(({ runs: [figures] }) => figures?.["lost"] ?? 0)).toEqual(subjects.map(() => 0));
    expect(chart(result)).toContain(benchmark.title);
  }, 120_000);
});
