import { run, type Command } from "./support.ts";

// The whole gate, the same here and in CI. The cheap steps all run, so that one run shows all their
// faults; the tests follow only when these pass, and are last, so that their closing line is too.
const cheap = ["format:check", "lint", "types", "unused"];
const tests = ["test:oldest", "test"];

const passed: string[] = [];
const failed: string[] = [];

for (const step of cheap) take(step);
if (failed.length > 0) {
  console.error(
    `\nFailed: ${failed.join(", ")}. The tests run when these pass; \`npm test\` runs them alone.`,
  );
  console.log(`${passed.length} passed, ${failed.length} failed, ${tests.length} skipped`);
  process.exit(1);
}
for (const step of tests) {
  // The last step's own closing line has to stay the last line: nothing is printed after it.
  if (!take(step)) process.exit(1);
}

function take(step: string): boolean {
  console.log(`\n— ${step}`);
  const command: Command = { command: "npm", args: ["run", "--silent", step] };
  const ok = run(command);
  (ok ? passed : failed).push(step);
  return ok;
}
