import { describe, expect, it } from "vitest";
import { runCli } from "./support.ts";
import { freePort } from "../support/free-port.ts";

const COMMANDS = [[], ["serve"], ["publish"], ["subscribe"], ["replay"]];

describe("partyline --help", () => {
  it("reads well at 60 columns", async () => {
    const texts = await Promise.all(
      COMMANDS.map(async (command) => {
        const { code, stdout, stderr } = await runCli([...command, "--help"], { env: { COLUMNS: "60" } });
        expect([code, stderr]).toEqual([0, ""]);
        return `$ partyline ${[...command, "--help"].join(" ")}\n${stdout}`;
      }),
    );
    await expect(texts.join("\n")).toMatchFileSnapshot("help-60-columns.txt");
  });

  it.for(["40", "60", "80", "200"])("has no line wider than a terminal of %s columns", async (columns) => {
    for (const command of COMMANDS) {
      const { stdout } = await runCli([...command, "--help"], { env: { COLUMNS: columns } });
      const wide = stdout.split("\n").filter((line) => line.length > Number(columns));
      // Commands to copy can't be broken anywhere.
      expect(wide.filter((line) => !/^(?: {2}|Usage: ).*partyline/.test(line))).toEqual([]);
      expect(stdout).toContain("Examples:");
    }
  });
});

describe("partyline --version", () => {
  it("is that of the package", async () => {
    const { code, stdout } = await runCli(["--version"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });
});

describe("a wrong command line", () => {
  it.for([
    [],
    ["sing"],
    ["serve", "--port", "eighty"],
    ["serve", "--origin", "app.example"],
    ["serve", "--drain", "soon"],
    ["serve", "extra"],
    ["publish"],
    ["publish", "a//b", "x"],
    ["publish", "a", "x", "--json", "--text"],
    ["publish", "a", "x", "--url", "ftp://a"],
    ["subscribe"],
    ["subscribe", "a", "--since", "yesterday"],
    ["subscribe", "a", "--transport", "pigeon"],
    ["replay", "file.csv"],
    ["replay", "file.csv", "a", "--speed", "60"],
  ])("ends with 2 and says so on stderr: %j", async (args) => {
    const { code, stdout, stderr } = await runCli(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).not.toBe("");
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

/** Where nobody listens. */
describe("what can't be done", () => {
  it.for([
    [["publish", "a", "x", "--url", "URL"], /No partyline server answers at URL \(ECONNREFUSED\)/],
    [["subscribe", "a", "--url", "URL"], /partyline serve --open/],
    [["replay", "no-such-file.csv", "a"], /no-such-file\.csv can't be read: there is no such file/],
  ] as const)("ends with 1 and says why: %j", async ([args, message]) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout, stderr } = await runCli(args.map((arg) => (arg === "URL" ? url : arg)));
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.replaceAll("\n", " ").replaceAll(url, "URL")).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
