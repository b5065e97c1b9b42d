import { PartylineError } from "../protocol/errors.ts";
import { PROTOCOL_VERSION } from "../protocol/frames.ts";
import { HELLO_BYTES } from "../protocol/limits.ts";
import { encodeText } from "../protocol/message.ts";
import { readClientFrame } from "../protocol/read-client-frame.ts";
import type { Context } from "./context.ts";
import type { Credentials, MaybePromise, Timed, Welcome } from "./ports.ts";

/**
 * Reads the first line of a connection or request, and asks who it is.
 *
 * @throws PartylineError `bad-frame`, `version`, `unauthorized`, `bad-limit`, `too-large`
 */
export function readHello(context: Context, line: string, credentials: Credentials): MaybePromise<Welcome> {
  if (isLong(line))
    throw new PartylineError("too-large", `\`hello\` has more than ${HELLO_BYTES} bytes.`, {
      remedy: "Use a shorter token.",
    });
  const frame = readClientFrame(line);
  if (frame.t === "refused") throw frame.error;
  if (frame.t !== "hello") throw new PartylineError("bad-frame", "The first frame is `hello`.");
  if (Math.floor(frame.v) !== PROTOCOL_VERSION)
    throw new PartylineError("version", `Version ${frame.v} is not spoken here, ${PROTOCOL_VERSION} is.`);
  const { quiet } = frame;
  if (frame.wait === 0) throw new PartylineError("bad-limit", "`wait` is a number of seconds above 0.");
  const wait = frame.wait === undefined ? undefined : Math.min(frame.wait, context.limits.waitSeconds);
  const granted = context.authenticate({
    token: frame.token ?? credentials.token,
    header: (name) => credentials.header(name),
  });
  if (granted instanceof Promise) return granted.then((grants) => ({ grants, wait, quiet }));
  return { grants: granted, wait, quiet };
}

/** Whether a `hello` is larger than allowed. A character takes up to three bytes. */
function isLong(line: string): boolean {
  return line.length * 3 > HELLO_BYTES && encodeText(line).length > HELLO_BYTES;
}

/** Sends away who has not said `hello` by then. It stays on the wheel until its time, so it lets go of all others. */
export class HelloDeadline implements Timed {
  #late: (() => void) | undefined;

  constructor(late: () => void) {
    this.#late = late;
  }

  release(): void {
    this.#late = undefined;
  }

  expire(): number {
    this.#late?.();
    return 0;
  }
}
