import { once } from "node:events";
import type { Client, TransportName } from "../../client/index.ts";
import { connect, type ServerOptions } from "../connect.ts";
import { aborted, interruptSignal } from "../interrupt.ts";
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
  let left = count;
  /** False where the message is one too many. */
  const take = (): boolean => left-- > 0;
  const finished = (): void => {
    if (left <= 0) done.abort();
  };
  try {
    const followed = options.channels.map((name) =>
      follow(client, name, options, { take, finished }, done.signal),
    );
    await Promise.race([Promise.all(followed), aborted(interrupted)]);
  } finally {
    done.abort();
    await client.close();
  }
}

async function follow(
  client: Client,
  name: string,
  { channels, since, json = false }: SubscribeArguments,
  counter: { take(): boolean; finished(): void },
  signal: AbortSignal,
): Promise<void> {
  const channel = client.channel(name, { onGap: "continue", ...(since === undefined ? {} : { since }) });
  channel.on("gap", (gap) => {
    if (json) process.stdout.write(`${JSON.stringify({ gap })}\n`);
    else console.error(gapText(gap));
  });
  channel.on("stale", () => console.error(`${name} is stale: the server can't vouch for being up to date`));
  const prefix = channels.length > 1 ? `${name}\t` : "";
  for await (const message of channel.messages({ signal })) {
    if (!counter.take()) break;
    const line = json ? messageJson(message) : prefix + messageText(message);
    // The iterator's own bound holds the log back while the terminal, or the next program, is slow.
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain", { signal });
    counter.finished();
  }
}
