import { PartylineError } from "../protocol/errors.ts";
import { PROTOCOL_VERSION } from "../protocol/frames.ts";
import { readClientFrame } from "../protocol/read-client-frame.ts";
import type { Context } from "./context.ts";
import type { Credentials, MaybePromise, Timed, Welcome } from "./ports.ts";

/**
 * Reads the first line of a connection or request, and asks who it is.
 *
 * @throws PartylineError `bad-frame`, `version`, `unauthorized`, `bad-limit`
 */
export function readHello(context: Context, line: string, credentials: Credentials): MaybePromise<Welcome> {
  const frame = readClientFrame(line);
  if (frame.t === "refused") throw frame.error;
  if (frame.t !== "hello") throw new PartylineError("bad-frame", "The first frame is `hello`.");
  if (Math.floor(frame.v) !== PROTOCOL_VERSION)
    throw new PartylineError("version", `Version ${frame.v} is not spoken here, ${PROTOCOL_VERSION} is.`);
  const { wait, quiet } = frame;
  if (wait !== undefined && !(wait > 0 && wait <= context.limits.waitSeconds))
    throw new PartylineError(
      "bad-limit",
      `\`wait\` is a number of seconds up to ${context.limits.waitSeconds}.`,
    );
  const granted = context.authenticate({
    token: frame.token ?? credentials.token,
    header: (name) => credentials.header(name),
  });
  if (granted instanceof Promise) return granted.then((grants) => ({ grants, wait, quiet }));
  return { grants: granted, wait, quiet };
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
