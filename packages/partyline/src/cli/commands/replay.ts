import type { Command } from "commander";
import { addExamples, addServerOptions } from "../common-options.ts";
import { parseChannel, parseSpeed } from "../parse-options.ts";
import type { ReplayArguments } from "../replay/run.ts";

/** `partyline replay`. */
export function addReplay(program: Command): void {
  const command = program
    .command("replay")
    .summary("publish the rows of a file at their own pace")
    .description(
      "Publishes each row of FILE as a JSON message. FILE is CSV with a header line, NDJSON, a JSON array, or a JSON " +
        "object that holds one array of objects, such as GeoJSON. With --time the rows are published in the order " +
        "of that field, and at its pace; without it in the order of the file, as fast as the server takes them.",
    )
    .argument("<file>", "file to read; - is stdin")
    .argument("<channel>", "channel to publish to", parseChannel)
    .option(
      "--time <field>",
      "field that holds the time, such as properties.time: an ISO 8601 date, a clock such as 1:05:30, ms " +
        "where the largest number is 1e11 or more, otherwise seconds",
    )
    .option("--speed <factor>", "60 is 60 times as fast; max waits for nothing (default: 1)", parseSpeed);
  addServerOptions(command).action(
    async (file: string, channel: string, options: Omit<ReplayArguments, "file" | "channel">) => {
      if (options.speed !== undefined && Number.isFinite(options.speed) && options.time === undefined)
        command.error("error: --speed needs --time: without it a row has no time to wait for");
      const { runReplay } = await import("../replay/run.ts");
      await runReplay({ ...options, file, channel });
    },
  );
  addExamples(command, [
    ["a match in 90 seconds", "partyline replay match.csv match \\\n    --time 'Start Time [s]' --speed 60"],
    [
      "a week of earthquakes, at once",
      "partyline replay week.geojson quakes \\\n    --time properties.time --speed max",
    ],
  ]);
}
