import { type Command, Option } from "commander";
import { addExamples, addServerOptions } from "../common-options.ts";
import { parseChannels, parseCount, parseSinceText } from "../parse-options.ts";
import type { SubscribeArguments } from "../subscribe/run.ts";

/** `partyline subscribe`. */
export function addSubscribe(program: Command): void {
  const command = program
    .command("subscribe")
    .summary("print the messages of channels")
    .description(
      "Prints messages as they come, one a line, until it is interrupted; with several channels each line begins " +
        "with its channel. Text with control characters is printed as a JSON string, binary data as base64. What " +
        "was missed is told on stderr.",
    )
    .argument("<channel...>", "channels to follow", parseChannels)
    .option("--since <since>", "begin at a position, earliest, now or last:N", parseSinceText)
    .addOption(
      new Option("--transport <name>", "use this transport only").choices(["ws", "sse", "poll"] as const),
    )
    .option("--count <messages>", "end after so many messages", parseCount)
    .option("--json", "print each message, and each gap, as a JSON object");
  addServerOptions(command).action(
    async (channels: readonly string[], options: Omit<SubscribeArguments, "channels">) => {
      const { runSubscribe } = await import("../subscribe/run.ts");
      await runSubscribe({ ...options, channels });
    },
  );
  addExamples(command, [
    ["the last ten, then what comes", "partyline subscribe chat --since last:10"],
    ["two channels, for a program", "partyline subscribe --json chat scores/42"],
  ]);
}
