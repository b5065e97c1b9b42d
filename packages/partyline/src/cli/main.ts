#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { EXIT } from "./exit.ts";
import { runProgram } from "./program.ts";

// A reader of the output that has read enough is no error: `partyline subscribe chat | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed);
});
// Notes and progress are for people; the command goes on if they cannot be written.
process.stderr.on("error", () => undefined);

// The same place from src/cli and from dist/cli.
const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

process.exitCode = await runProgram(process.argv.slice(2), manifest.version);
// Whatever a command left open must not keep the shell waiting.
setTimeout(() => process.exit(), 1000).unref();
