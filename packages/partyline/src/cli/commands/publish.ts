import { type Command, Option } from "commander";
import { addExamples, addServerOptions } from "../common-options.ts";
import { parseChannel } from "../parse-options.ts";
import type { PublishArguments } from "../publish/run.ts";

/** `partyline publish`. */
export function addPublish(program: Command): void {
  const command = program
    .command("publish")
    .summary("publish one message, or each line of stdin")
    .description(
      "Publishes DATA, or each line of stdin where DATA is - or missing; empty lines are left out. A JSON object or " +
        "array is published as JSON, anything else as text. Prints the position of the last message stored.",
    )
    .argument("<channel>", "channel to publish to", parseChannel)
    .argument("[data]", "the message; - reads lines from stdin", "-")
    .option("--key <key>", "key that the value is for, in channels that keep the latest values")
    .addOption(new Option("--json", "every message is JSON, also a lone number or string").conflicts("text"))
    .option("--text", "every message is text, also what looks like JSON");
  addServerOptions(command).action(
    async (channel: string, data: string, options: Omit<PublishArguments, "channel" | "data">) => {
      const { runPublish } = await import("../publish/run.ts");
      await runPublish({ ...options, channel, data });
    },
  );
  addExamples(command, [
    ["one message", `partyline publish chat '{"text":"hi"}'`],
    ["a message per line of a log", "tail -f app.log | partyline publish logs"],
  ]);
}
