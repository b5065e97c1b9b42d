import { createSseParser } from "../../protocol/sse.ts";
import { connectionLost } from "../errors.ts";
import type { Link, LinkRequest } from "../link.ts";
import { openHttp, postRound, silenceOf } from "./http.ts";

/** `/connect` as a stream of events. */
export function openSse(request: LinkRequest): Link {
  return openHttp(request, async ({ stream, signal, heard }) => {
    // So that comments come before the silence makes the client ask, which here costs a new stream.
    const hello = stream.open({ quiet: silenceOf(request) });
    const response = await postRound(request, hello, signal, "text/event-stream");
    const parser = createSseParser({ event: ({ data }) => stream.read(data) });
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
      heard();
      parser.push(decoder.decode(part.value, { stream: true }));
    }
    throw connectionLost("The stream has ended.");
  });
}
