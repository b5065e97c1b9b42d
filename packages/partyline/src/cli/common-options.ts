import { type Command, Option } from "commander";
import { parseUrl } from "./parse-options.ts";

/** Adds the options of every command that talks to a server. */
export function addServerOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--url <url>", "server to talk to")
        .argParser(parseUrl)
        .default(new URL("http://127.0.0.1:8080"), "http://127.0.0.1:8080"),
    )
    .addOption(
      new Option("--token <token>", "credential; rather set the variable, other users can see arguments").env(
        "PARTYLINE_TOKEN",
      ),
    );
}

/** A line of examples below a command's help: what it is for, and what to type. */
export function addExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  const text = examples.map(([what, line]) => `  # ${what}\n  ${line}`).join("\n");
  return command.addHelpText("after", `\nExamples:\n${text}`);
}
