import type { Link, LinkRequest } from "../link.ts";
import { openHttp, postRound, silenceOf } from "./http.ts";

/** A poll that is answered at once, in seconds: a server takes no 0. */
const AT_ONCE = 0.001;

/** `/connect` by long polls, each of which carries all positions. */
export function openPoll(request: LinkRequest): Link {
  return openHttp(request, async ({ stream, signal, heard }) => {
    // The first one is answered at once: it is what tells that this way is open.
    // The others end well before the silence makes the client ask.
    for (let wait = AT_ONCE; !signal.aborted; wait = silenceOf(request)) {
      const response = await postRound(request, stream.open({ wait }), signal);
      const lines = await response.text();
      heard();
      if (!signal.aborted) stream.read(lines);
    }
  });
}
