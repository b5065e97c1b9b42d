import type { IncomingMessage } from "node:http";
import { PartylineError } from "../protocol/errors.ts";
import { splitTarget, type Target } from "./routes.ts";

/**
 * Refuses a head of HTTP/1.1 that Node's parser lets pass, and that another server on the way may read differently.
 *
 * @throws PartylineError `bad-frame`, with status 505, 400 or 501
 */
export function checkHead(request: IncomingMessage): void {
  const { httpVersionMajor, httpVersionMinor, httpVersion, rawHeaders, headers } = request;
  // The version is a word of the peer's. Whether a request came over HTTP/2 is decided by its object.
  if (httpVersionMajor !== 1)
    throw new PartylineError("bad-frame", `This connection does not speak HTTP/${httpVersion}.`, {
      status: 505,
      remedy: "Send HTTP/1.1, or HTTP/2 to a server with TLS.",
    });
  if (countHosts(rawHeaders) > 1)
    throw new PartylineError("bad-frame", "The request has more than one `Host`.", {
      remedy: "Send one `Host` line.",
    });
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && httpVersionMinor === 0)
    throw new PartylineError("bad-frame", "HTTP/1.0 has no transfer codings.", {
      remedy: "Send the body with `Content-Length`.",
    });
  if (coding !== undefined && coding.toLowerCase() !== "chunked")
    throw new PartylineError(
      "bad-frame",
      `A body with the transfer coding ${JSON.stringify(coding.slice(0, 80))}.`,
      {
        status: 501,
        remedy: "Send the body as it is, with `Content-Length` or `Transfer-Encoding: chunked`.",
      },
    );
}

/** Path and query of a request. Of a whole URL, as proxies are sent, the host replaces `Host` (RFC 9112, section 3.2.2). */
export function readTarget(request: IncomingMessage): Target {
  const target = splitTarget(request.url ?? "/");
  if (target.authority !== undefined) request.headers.host = target.authority;
  return target;
}

/** Node keeps the first `Host` and drops all others; only the raw list has them. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count;
}
