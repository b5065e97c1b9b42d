import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { listFiles, packageFolder, readText, repository } from "./support/source.ts";
import { definedIds, pendingIds, provenIds } from "./support/spec.ts";

const protocol = join(repository, "PROTOCOL.md");

// PROTOCOL.md gives each MUST an id (**PUB-1**), and a test names what it proves in its title ([PUB-1]).
describe("every MUST of PROTOCOL.md", () => {
  const defined = existsSync(protocol) ? definedIds(readText(protocol)) : [];
  const pending = pendingIds(readText(packageFolder, "test/spec-pending.txt"));
  const proven = provenIds([
    ...listFiles(packageFolder, ".test.ts"),
    // The suites of `partyline/testing` hold tests too, for the brokers and transports of others as well.
    ...listFiles(join(packageFolder, "src/testing"), ".ts").map((file) => join("src/testing", file)),
  ]);

  beforeEach(({ skip }) => {
    if (!existsSync(protocol)) skip("PROTOCOL.md is absent");
  });

  it("has an id of its own", () => {
    expect(defined.filter((id, index) => defined.indexOf(id) !== index)).toEqual([]);
  });

  it("is named by a test, or pending with a reason", () => {
    expect(defined.filter((id) => !proven.has(id) && !pending.has(id))).toEqual([]);
  });

  it("is pending only while no test names it", () => {
    expect([...pending.keys()].filter((id) => proven.has(id) || !defined.includes(id))).toEqual([]);
    expect([...pending].filter(([, reason]) => reason === "")).toEqual([]);
  });

  it("is what tests name, and nothing else", () => {
    const unknown = [...proven].filter(([id]) => !defined.includes(id));
    expect(unknown.map(([id, file]) => `${id} in ${file}`)).toEqual([]);
  });
});
