import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type ServerOptions } from "../connect.ts";
import { CliError, systemCode } from "../exit.ts";
import { aborted, interruptSignal } from "../interrupt.ts";
import { JsonText } from "../json-text.ts";
import { createProgress } from "../progress.ts";
import { sendAll } from "../send-all.ts";
import { formatCount, formatDuration, formatPace, messages } from "../text.ts";
import { atPace, inOrderOfTime, type PaceClock } from "./pace.ts";
import { readRows } from "./rows.ts";
import { readTimes } from "./times.ts";

/** What the command line says. */
export interface ReplayArguments extends ServerOptions {
  readonly file: string;
  readonly channel: string;
  readonly time?: string;
  readonly speed?: number;
}

/** From here on a time is one of the calendar, ms. */
const CALENDAR_FROM = 1e11;

/** Publishes the rows of a file. The whole file is read and checked before the first row leaves. */
export async function runReplay(options: ReplayArguments): Promise<void> {
  const { file, channel: name, time, speed = 1 } = options;
  const signal = interruptSignal();
  const { rows, format } = await readRows(await readText(file), file);
  const timed = inOrderOfTime(
    rows,
    time === undefined
      ? []
      : readTimes(
          rows.map(({ value }) => value),
          time,
        ),
  );
  if (timed.length === 0) throw new CliError(`${file} holds no rows.`);
  const client = await connect(options, signal);
  const clock: PaceClock = {
    now: () => performance.now(),
    sleep: (milliseconds) => sleep(milliseconds, undefined, { signal }),
  };
  const channel = client.channel(name);
  const progress = createProgress(process.stderr, () => performance.now(), timed.length);
  console.error(`${formatCount(timed.length)} rows of ${format} from ${file} into ${name}`);
  try {
    const pace = time === undefined ? Number.POSITIVE_INFINITY : speed;
    let last = "";
    const sent = sendAll(atPace(timed, pace, clock), {
      publish: async ({ row }) => {
        const { position } = await channel.publish(new JsonText(row.json), { kind: "json" });
        last = position;
      },
      stored: (count, item) => progress.update(count, time === undefined ? "" : timeText(item.time)),
    });
    const count = await Promise.race([sent, aborted(signal)]);
    const elapsed = progress.elapsed();
    progress.clear();
    const perSecond = formatPace((count * 1000) / Math.max(1, elapsed));
    console.error(`${messages(count)} published in ${formatDuration(elapsed)} (${perSecond})`);
    console.log(last);
  } finally {
    progress.clear();
    await client.close();
  }
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = file === "-" ? await buffer(process.stdin) : await readFile(file);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const code = systemCode(error) ?? "unreadable";
    const why =
      code === "ENOENT"
        ? "there is no such file"
        : code === "ERR_ENCODING_INVALID_ENCODED_DATA"
          ? "it is not UTF-8"
          : code;
    throw new CliError(`${file} can't be read: ${why}.`, undefined, undefined, error);
  }
}

function timeText(time: number): string {
  return time >= CALENDAR_FROM
    ? new Date(time).toISOString().slice(0, 19).replace("T", " ")
    : `at ${formatDuration(time)}`;
}
