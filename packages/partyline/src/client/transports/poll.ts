import { backoffDelay } from "../backoff.ts";
import { connectionLost } from "../errors.ts";
import type { Link, LinkRequest } from "../link.ts";
import { openHttp, postRound, silenceOf } from "./http.ts";

/** A poll that is answered at once, in seconds: a server takes no 0. */
const AT_ONCE = 0.001;

/** A poll that lasted this long may be repeated at once, in milliseconds: a server that drains answers after a second. */
const EARLY = 1000;

/** `/connect` by long polls, each of which carries all positions. */
export function openPoll(request: LinkRequest): Link {
  const { runtime } = request;
  const pause = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const stop = runtime.after(ms, resolve);
      signal.addEventListener("abort", () => resolve(stop()));
    });

  return openHttp(request, async (round) => {
    const { stream, signal, heard } = round;
    let last = "";
    let at = 0;
    /** Polls in a row that were answered early and moved no position. */
    let idle = 0;
    // The first one is answered at once: it is what tells that this way is open.
    // The others end well before the silence makes the client ask.
    for (let wait = AT_ONCE; !signal.aborted; wait = silenceOf(request)) {
      const body = stream.open({ wait });
      if (body !== last || runtime.now() - at >= EARLY) idle = 0;
      else await pause(Math.min(backoffDelay(idle++, request, runtime.random), wait * 1000), signal);
      last = body;
      at = runtime.now();
      const response = await postRound(request, body, signal);
      const lines = await response.text();
      heard();
      if (signal.aborted) return;
      const { welcomes } = round;
      stream.read(lines);
      if (round.welcomes === welcomes) throw connectionLost("A poll was answered without `welcome`.");
    }
  });
}
