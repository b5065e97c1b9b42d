import { connect, type ServerOptions } from "../connect.ts";
import { aborted, interruptSignal } from "../interrupt.ts";
import { createProgress } from "../progress.ts";
import { readLines } from "../read-lines.ts";
import { sendAll } from "../send-all.ts";
import { formatDuration, messages } from "../text.ts";
import { type PayloadOptions, readPayload } from "./payload.ts";

/** What the command line says. */
export interface PublishArguments extends ServerOptions, PayloadOptions {
  readonly channel: string;
  /** `-` for stdin. */
  readonly data: string;
  readonly key?: string;
}

/** Publishes, and prints the position of the last message stored. */
export async function runPublish(options: PublishArguments): Promise<void> {
  const { channel: name, data, key } = options;
  const signal = interruptSignal();
  const client = await connect(options, signal);
  const channel = client.channel(name);
  const progress = createProgress(process.stderr, () => performance.now());
  let last = "";
  const publish = async (text: string): Promise<void> => {
    const payload = readPayload(text, options);
    const result = await channel.publish(payload.data, {
      kind: payload.kind,
      ...(key === undefined ? {} : { key }),
    });
    last = result.position || last;
  };
  try {
    const sent = sendAll(data === "-" ? linesOfStdin() : [data], {
      publish,
      stored: (count) => progress.update(count),
    });
    const count = await Promise.race([sent, aborted(signal)]);
    progress.clear();
    if (data === "-") console.error(`${messages(count)} published in ${formatDuration(progress.elapsed())}`);
    if (last !== "") console.log(last);
  } finally {
    progress.clear();
    await client.close();
  }
}

async function* linesOfStdin(): AsyncGenerator<string, void> {
  if (process.stdin.isTTY) console.error("Each line is a message; end with Ctrl-D.");
  for await (const line of readLines(process.stdin)) if (line !== "") yield line;
}
