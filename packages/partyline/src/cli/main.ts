#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { EXIT } from "./exit.ts";
import { runProgram } from "./program.ts";

// `partyline subscribe chat | head` is no error: who read has read enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed);
});

// The same place from src/cli and from dist/cli.
const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

process.exitCode = await runProgram(process.argv.slice(2), manifest.version);
// Whatever a command left open must not keep the shell waiting.
setTimeout(() => process.exit(), 1000).unref();
