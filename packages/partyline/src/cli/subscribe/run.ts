import type { Client, Message, TransportName } from "../../client/index.ts";
import { connect, type ServerOptions } from "../connect.ts";
import { aborted, interruptSignal } from "../interrupt.ts";
import { createLineWriter, type LineWriter } from "../line-writer.ts";
import { escapeControls } from "../text.ts";
import { gapText, messageJson, messageText } from "./print.ts";

/** What the command line says. */
export interface SubscribeArguments extends ServerOptions {
  readonly channels: readonly string[];
  readonly since?: string;
  readonly transport?: TransportName;
  readonly count?: number;
  readonly json?: boolean;
}

/** Prints messages until it is interrupted, has printed `count`, or nobody reads any more. */
export async function runSubscribe(options: SubscribeArguments): Promise<void> {
  const { transport, count = Number.POSITIVE_INFINITY } = options;
  const interrupted = interruptSignal();
  const client = await connect(options, interrupted, transport && [transport]);
  const done = new AbortController();
  const output = createLineWriter(process.stdout);
  let left = count;
  /** False where the message is one too many. */
  const take = (): boolean => left-- > 0;
  const finished = (): void => {
    if (left <= 0) done.abort();
  };
  try {
    const followed = options.channels.map((name) =>
      follow(client, name, options, { output, take, finished, signal: done.signal }),
    );
    await Promise.race([Promise.all(followed), aborted(interrupted)]);
  } finally {
    done.abort();
    await client.close();
  }
}

/** A program reads the bytes that were published; a terminal must not obey them. */
function forPrograms(message: Message): string {
  return process.stdout.isTTY ? escapeControls(messageJson(message)) : messageJson(message);
}

/** Destination of the messages of all channels, and how many are still wanted. */
interface Sink {
  readonly output: LineWriter;
  readonly take: () => boolean;
  readonly finished: () => void;
  readonly signal: AbortSignal;
}

async function follow(
  client: Client,
  name: string,
  { channels, since, json = false }: SubscribeArguments,
  { output, take, finished, signal }: Sink,
): Promise<void> {
  const channel = client.channel(name, { onGap: "continue", ...(since === undefined ? {} : { since }) });
  channel.on("gap", (gap) => {
    if (json) void output.write(JSON.stringify({ gap }));
    else console.error(gapText(gap));
  });
  channel.on("stale", () => console.error(`${name} is stale: the server can't vouch for being up to date`));
  const prefix = channels.length > 1 ? `${name}\t` : "";
  for await (const message of channel.messages({ signal })) {
    if (!take()) break;
    // The iterator's own bound holds the log back while the terminal, or the next program, is slow.
    await output.write(json ? forPrograms(message) : prefix + messageText(message));
    finished();
  }
}
