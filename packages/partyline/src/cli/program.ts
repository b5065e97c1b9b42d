import { Command, CommanderError } from "commander";
import { PartylineError } from "../protocol/partyline-error.ts";
import { addPublish } from "./commands/publish.ts";
import { addReplay } from "./commands/replay.ts";
import { addServe } from "./commands/serve.ts";
import { addSubscribe } from "./commands/subscribe.ts";
import { addExamples } from "./common-options.ts";
import { CliError, EXIT } from "./exit.ts";
import { Interrupted } from "./interrupt.ts";
import { columnsOf, wrap } from "./text.ts";

/** Below so many columns a description stands under what it describes, and not beside it. */
const BESIDE = 72;

/** The command line, without running it. */
export function createProgram(version: string): Command {
  const program = new Command("partyline")
    .description(
      "Channels over WebSocket, SSE and HTTP: every message once and in order, or you are told exactly what you missed.",
    )
    .version(version)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      getOutHelpWidth: () => columnsOf(process.stdout, process.env),
      getErrHelpWidth: () => columnsOf(process.stderr, process.env),
    })
    .configureHelp({
      formatItem(term, termWidth, description, helper) {
        const columns = helper.helpWidth ?? 80;
        if (description === "") return `  ${term}`;
        if (columns < BESIDE) return `  ${term}\n${wrap(description, columns, "      ")}`;
        const indent = " ".repeat(termWidth + 4);
        return `  ${term.padEnd(termWidth)}  ${wrap(description, columns, indent).trimStart()}`;
      },
      boxWrap: (text, columns) => wrap(text, columns),
    });
  addServe(program);
  addPublish(program);
  addSubscribe(program);
  addReplay(program);
  addExamples(program, [
    ["three terminals: the server", "partyline serve --open"],
    ["who listens", "partyline subscribe chat"],
    ["who speaks", "partyline publish chat hello"],
  ]);
  program.addHelpText(
    "after",
    "\nExit codes:\n  0  done\n  1  refused, unreachable or unreadable\n  2  wrong usage\n" +
      "  130, 143  SIGINT, SIGTERM (serve: 0)",
  );
  return program;
}

/** Runs the command line and answers the exit code. */
export async function runProgram(args: readonly string[], version: string): Promise<number> {
  try {
    await createProgram(version).parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof Interrupted) return error.exitCode;
    return tell(error);
  }
}

/** Says what went wrong, in as few lines as help: no stack but for faults of our own. */
function tell(error: unknown): number {
  const write = (text: string): void => console.error(wrap(text, columnsOf(process.stderr, process.env)));
  if (error instanceof CliError) {
    write(`error: ${error.message}`);
    if (error.remedy !== undefined) write(error.remedy);
    return error.exitCode;
  }
  if (error instanceof PartylineError) {
    write(`error: ${error.message} (${error.code})`);
    if (error.remedy) write(error.remedy);
    return EXIT.failed;
  }
  console.error(error);
  return EXIT.failed;
}
