import type { Command } from "commander";
import { addExamples } from "../common-options.ts";
import {
  parseAddress,
  parseCount,
  parseHostname,
  parseOrigin,
  parsePort,
  parseSeconds,
} from "../parse-options.ts";
import type { ServeOptions } from "../serve/run.ts";

/** `partyline serve`. */
export function addServe(program: Command): void {
  const command = program
    .command("serve")
    .summary("run a server")
    .description(
      "Runs a server on this machine that keeps its channels in memory. Everybody may subscribe; publishing needs " +
        "the token in PARTYLINE_TOKEN, or the one made and printed at start. With --open nobody needs a token.",
    )
    .option("--port <port>", "port to listen on; 0 takes a free one", parsePort, 8080)
    .option(
      "--host <address>",
      "address to listen on; 0.0.0.0 is every one this machine has",
      parseAddress,
      "127.0.0.1",
    )
    .option("--hostname <name>", "name it is reached by, through a proxy; may be repeated", parseHostname)
    .option("--tls-cert <file>", "certificate in PEM: speak TLS, with HTTP/2")
    .option("--tls-key <file>", "private key of the certificate, in PEM")
    .option("--open", "let everybody publish, without a token")
    .option("--origin <origin>", "let pages of this origin connect too; may be repeated", parseOrigin)
    .option("--retention <messages>", "messages kept in each channel", parseCount, 10_000)
    .option("--workers <count>", "processes that share the port and the channels", parseCount, 1)
    .option(
      "--drain <seconds>",
      "time that clients are given to leave at a SIGTERM; 0 ends at once",
      parseSeconds,
      5,
    )
    .action(async (options: ServeOptions) => {
      const { runServe } = await import("../serve/run.ts");
      await runServe(options);
    });
  addExamples(command, [
    ["try it out on this machine", "partyline serve --open"],
    ["a page from a dev server", "partyline serve --open \\\n    --origin http://localhost:5173"],
    ["for others, publishing with a token", "PARTYLINE_TOKEN=… partyline serve \\\n    --host 0.0.0.0"],
    ["on four cores", "partyline serve --workers 4"],
    ["with HTTP/2", "partyline serve --port 8443 \\\n    --tls-cert cert.pem --tls-key k.pem"],
  ]);
}
