/** How messages are compressed on one connection (RFC 7692). */
export interface DeflateAgreement {
  /** As the server's handshake tells it. */
  readonly header: string;
  /** Does the peer take our frames? They are made with the largest window, which not every peer has. */
  readonly deflates: boolean;
}

const NAME = "permessage-deflate";

/** An extension and its parameters, where a parameter without a value is `true`. */
type Offer = readonly [name: string, parameters: readonly (readonly [name: string, value: string | true])[]];

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
/** RFC 6455, section 9.1; a quoted value is a token too once the quotes are gone. */
const PART = new RegExp(
  `[ \\t]*(${TOKEN})(?:[ \\t]*=[ \\t]*(?:(${TOKEN})|"(${TOKEN})"))?[ \\t]*([;,]|$)`,
  "y",
);

/**
 * Agrees to the first offer that can be kept. Neither side keeps what it has seen between two messages: ours are shared,
 * and a peer's would cost memory.
 *
 * @param header `Sec-WebSocket-Extensions` of the client.
 * @returns `undefined` where there is no such offer.
 * @throws SyntaxError where the header is malformed.
 */
export function agreeOnDeflate(header: string): DeflateAgreement | undefined {
  for (const [name, parameters] of readOffers(header)) {
    if (name !== NAME) continue;
    const agreed = new Map<string, string | true>();
    if (
      parameters.every(
        ([parameter, value]) =>
          isKnown(parameter, value) && !agreed.has(parameter) && agreed.set(parameter, value),
      )
    )
      return agreement(agreed);
  }
  return undefined;
}

function agreement(offered: ReadonlyMap<string, string | true>): DeflateAgreement {
  const server = offered.get("server_max_window_bits");
  const client = offered.get("client_max_window_bits");
  let header = `${NAME}; server_no_context_takeover; client_no_context_takeover`;
  if (server !== undefined) header += `; server_max_window_bits=${server}`;
  // Without a value it only says that a bound would be kept; none is needed.
  if (typeof client === "string") header += `; client_max_window_bits=${client}`;
  return { header, deflates: server === undefined };
}

/** RFC 7692, section 7.1: an offer with any other parameter is declined. */
function isKnown(name: string, value: string | true): boolean {
  switch (name) {
    case "server_no_context_takeover":
    case "client_no_context_takeover":
      return value === true;
    case "server_max_window_bits":
      return value !== true && isWindow(value);
    case "client_max_window_bits":
      return value === true || isWindow(value);
    default:
      return false;
  }
}

function isWindow(value: string): boolean {
  return /^(?:[89]|1[0-5])$/.test(value);
}

function readOffers(header: string): Offer[] {
  const offers: [string, [string, string | true][]][] = [];
  let isName = true;
  PART.lastIndex = 0;
  for (let end = ","; end !== "";) {
    const part = PART.exec(header);
    const [, name, value, quoted] = part ?? [];
    if (!part || name === undefined || (isName && (value ?? quoted) !== undefined))
      throw new SyntaxError("`Sec-WebSocket-Extensions` is malformed.");
    if (isName) offers.push([name, []]);
    else offers.at(-1)?.[1].push([name, value ?? quoted ?? true]);
    end = part[4] ?? "";
    isName = end === ",";
  }
  return offers;
}
