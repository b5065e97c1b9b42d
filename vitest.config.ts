import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { findChromium } from "./scripts/chromium.ts";

const source = join(import.meta.dirname, "packages/partyline/src");

// `partyline/*` means the source, so that a test run needs no build. The map is not written as an
// export condition in the manifest: that would be published, and point to files that are not.
const alias = [
  { find: /^partyline$/, replacement: join(source, "index.ts") },
  { find: /^partyline\/(.+)$/, replacement: join(source, "$1/index.ts") },
];

// They keep both cores busy, and would make the time-outs of other tests fail.
const attacks = ["packages/*/test/attacks/**/*.test.ts"];

const browserTests = ["examples/*/test/**/*.test.ts", "packages/*/test/**/*.browser.test.ts"];

export default defineConfig({
  resolve: { alias },
  // The oldest supported Node does not parse `await using`.
  oxc: { target: "es2023" },
  test: {
    setupFiles: [join(import.meta.dirname, "scripts/seed.ts")],
    reporters: ["default", join(import.meta.dirname, "scripts/reporter.ts")],
    // An `it.only` left behind would make a green run of one test.
    allowOnly: false,
    // Tests that run beside each other do so because they mostly wait.
    maxConcurrency: 20,
    restoreMocks: true,
    unstubGlobals: true,
    env: { CHROMIUM: findChromium() ?? "" },
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: ["packages/*/{src,test}/**/*.test.ts", "scripts/**/*.test.ts", "bench/src/**/*.test.ts"],
          exclude: [...browserTests, ...attacks],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: browserTests,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // After the others and one by one: two Chromiums on two cores make each other time out.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "attacks",
          include: attacks,
          testTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
