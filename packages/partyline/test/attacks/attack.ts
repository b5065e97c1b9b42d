import type { Settings } from "../support/attacked-server/index.ts";
import type { Bounds } from "./survive.ts";
import type { Attacker, Line } from "./peer.ts";

/** One thing that a peer without credentials can send, again and again. */
export interface Attack {
  /** A noun phrase: a row of the table in docs/limits.md, and the title of a test. */
  readonly name: string;
  readonly settings?: Settings;
  readonly bounds?: Bounds;
  /** Sends until `goOn` says no. */
  readonly run: (attacker: Attacker, goOn: () => boolean) => Promise<void>;
}

/** The most bytes of a frame on `/connect` with the default limits. */
export const FRAME = 65_536 * 6 + 4_096;

/** Pause between two connections of a loop that only connects: a turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Sends these bytes over and over; opens the connection again when the server ends it. */
export async function flood(
  open: () => Promise<Line>,
  bytes: Buffer | ((index: number) => Buffer | string) | string,
  goOn: () => boolean,
): Promise<void> {
  for (let index = 0; goOn();) {
    const line = await open();
    let more = !line.ended;
    while (more && goOn())
      more = await sendWhile(line, typeof bytes === "function" ? bytes(index++) : bytes, goOn);
    line.leave();
    await turn();
  }
}

/** Writes, and waits for room while `goOn` says so; false when there will be none. */
async function sendWhile(line: Line, bytes: Buffer | string, goOn: () => boolean): Promise<boolean> {
  const sent = line.send(bytes);
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<boolean>((resolve) => {
    timer = setInterval(() => {
      if (!goOn()) resolve(false);
    }, 20);
  });
  const more = await Promise.race([sent, over]);
  clearInterval(timer);
  return more;
}

/** Runs this many at once. */
export async function atOnce(count: number, run: (index: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => run(index)));
}
