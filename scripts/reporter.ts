import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

/**
 * Closes a run with `N passed, N failed, N skipped`, alone on the last line, which is what CI reads.
 * Stands beside Vitest's default reporter, which shows progress and failures; this one adds the reason
 * of every skip, and counts as failed what has no test case to fail: a file that does not load, a hook,
 * an error that nobody caught.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === "passed").length;
    const skipped = tests.filter((test) => test.result().state === "skipped");
    // A test that is still pending was cut off, so whatever is neither passed nor skipped has failed.
    const failed =
      tests.length - passed - skipped.length + unhandledErrors.length + countLooseErrors(modules);

    const label = process.env.CLOSING_LINE_LABEL;
    const line = `${passed} passed, ${failed} failed, ${skipped.length} skipped`;
    // On exit, because the other reporters and Vitest itself still print after this hook.
    process.once("exit", () => {
      for (const test of skipped) process.stdout.write(`skipped: ${test.fullName}: ${reasonOf(test)}\n`);
      process.stdout.write(`${label === undefined || label === "" ? "" : `${label} `}${line}\n`);
    });
  }
}

/** Errors of modules and suites (imports, hooks) rather than of a test. */
function countLooseErrors(modules: readonly TestModule[]): number {
  return modules.reduce((count, module) => {
    const suites = [...module.children.allSuites()];
    return count + module.errors().length + suites.flatMap((suite) => suite.errors()).length;
  }, 0);
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === "skipped" && result.note !== undefined) return result.note;
  if (test.options.mode === "todo") return "still to be written";
  for (let suite = test.parent; ; suite = suite.parent) {
    if (suite.errors().length > 0) return "not run, because a hook before it failed";
    if (suite.type === "module") return "no reason given";
  }
}
