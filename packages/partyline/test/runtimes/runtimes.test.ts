import { afterAll, describe, expect, it } from "vitest";
import { PROBES } from "./probes.ts";
import { isBuilt, probe, RUNTIMES } from "./runtimes.ts";

const lines: string[] = [];

// The built package, as users install it: a server and all ways to read it, in one process of each runtime.
describe.each(RUNTIMES)("$name", (runtime) => {
  it.for(runtime.hosts)(
    "serves and reads over every transport: %s",
    { timeout: 360_000 },
    async (host, { skip }) => {
      if (!isBuilt()) throw new Error("There is no dist: run `npm run build` first.");
      const command = await runtime.command().catch((error: Error) => error);
      if (command instanceof Error) {
        // A gate without a runtime would prove nothing; a developer may have no registry at hand.
        if (process.env["CI"] !== undefined) throw command;
        return skip(`${runtime.name} cannot be had here: ${command.message}`);
      }
      const outcomes = await probe(command, host);
      const line = PROBES[host].map((name) => `${name} ${outcomes[name]}`).join(", ");
      lines.push(`${runtime.name} (${host}): ${line}`);
      expect(outcomes).toEqual(Object.fromEntries(PROBES[host].map((name) => [name, "ok"])));
    },
  );
});

afterAll(() => {
  process.stdout.write(`${lines.join("\n")}\n`);
});
