/** Publishes whose promise nobody awaits, in a process of their own: an unhandled rejection ends it. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageFolder } from "./support/source.ts";

/** Runs a script with `client`, and gives what it printed and how it ended. */
function run(script: string, options = "{}"): Promise<{ readonly code: number; readonly output: string }> {
  const entry = (name: string): string => JSON.stringify(join(packageFolder, `src/${name}/index.ts`));
  const source = `
    import { createClient } from ${entry("client")};
    import { storedOutbox } from ${entry("client/indexed-db")};
    const client = createClient("http://127.0.0.1:9", ${options});
    const room = client.channel("a");
    ${script}
    // Two turns: unhandled rejections are looked for between them.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    await client.close();
    console.log("still here");`;
  return new Promise((resolve) => {
    execFile(process.execPath, ["--input-type=module-typescript", "-e", source], (error, stdout) =>
      resolve({ code: Number(error?.code ?? 0), output: stdout.trim() }),
    );
  });
}

const keepInStore = `{
  outbox: storedOutbox({ load: async () => [], put: async () => {}, remove: async () => {}, close() {} }),
}`;
const keepNothing = `client.channel("a", { keep: "nothing" });`;

it.each(["{}", keepInStore])(
  "a publish that is pending at close() does not end the process: %s",
  async (how) => {
    expect(await run("room.publish(1); room.delete('k'); await client.close();", how)).toEqual({
      code: 0,
      output: "still here",
    });
  },
);

it.each(["{}", keepInStore])(
  "a publish that is pending at close() rejects if it is awaited: %s",
  async (how) => {
    const script = `
    const settled = Promise.allSettled([room.publish(1)]);
    await client.close();
    for (const { status, reason } of await settled) console.log(status, reason.code);`;
    expect(await run(script, how)).toEqual({ code: 0, output: "rejected closed\nstill here" });
  },
);

it("a refused publish does not end the process if somebody listens to `dropped`", async () => {
  const listen = `client.on("dropped", ({ reason }) => console.log(reason.code));`;
  expect(await run(`${listen} ${keepNothing} room.publish(1);`)).toEqual({
    code: 0,
    output: "offline\nstill here",
  });
});

it("a refused publish of which nobody hears is an unhandled rejection", async () => {
  expect(await run(`${keepNothing} room.publish(1);`)).toEqual({ code: 1, output: "" });
});
