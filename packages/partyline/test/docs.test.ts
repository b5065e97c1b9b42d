/** What docs/testing.md shows are tests: they are run as they stand there. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageFolder, repository } from "./support/source.ts";

const page = readFileSync(join(repository, "docs/testing.md"), "utf8");
const blocks = [...page.matchAll(/<!-- file: (\S+) -->\s+```ts\n(.*?)```/gs)].map(
  ([, name = "", code = ""]) => ({ name, code }),
);

// Inside the package, so that it is found by its own name.
mkdirSync(join(packageFolder, "test/.docs"), { recursive: true });
const folder = mkdtempSync(join(packageFolder, "test/.docs/run-"));
for (const { name, code } of blocks) writeFileSync(join(folder, name), code);
afterAll(() => rmSync(join(packageFolder, "test/.docs"), { recursive: true, force: true }));

describe("the page about testing", () => {
  it("shows no code that is not run", () => {
    expect(page.match(/^```ts/gm)).toHaveLength(blocks.length);
  });
});

for (const { name } of blocks.filter((block) => block.name.endsWith(".test.ts")))
  describe(name, async () => {
    await import(/* @vite-ignore */ join(folder, name));
  });
