import type { ClientOptions } from "./client-types.ts";
import type { TransportName } from "./link.ts";
import { checkOption, type OptionRules, readOptions } from "./options.ts";

/** The options that are numbers: each has a default. */
type NumberName = {
  [Name in keyof ClientOptions]-?: ClientOptions[Name] extends number | undefined ? Name : never;
}[keyof ClientOptions];

/** Options after the check, with the defaults of those that are numbers. */
type Checked = ClientOptions & { readonly [Name in NumberName]: number };

/** The options of a client, checked and completed. */
export interface Settings extends Omit<Checked, "headers"> {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** In order of preference, without those that the runtime lacks. */
  readonly transports: readonly TransportName[];
  readonly fetch: typeof fetch;
  readonly WebSocket: typeof WebSocket;
}

const RULES: OptionRules<ClientOptions> = {
  transports: "object",
  token: "string|function",
  headers: "object",
  share: "boolean|string",
  onDropped: "function",
  outbox: "function",
  fetch: "function",
  WebSocket: "function",
  baseDelay: [1, 500],
  maxDelay: [100, 30_000],
  fallbackDelay: [0, 1000],
  openTimeout: [100, 10_000],
  stableAfter: [0, 10_000],
  upgradeInterval: [100, 60_000],
  pingInterval: [100, 25_000],
  pongTimeout: [100, 10_000],
  bufferedMessages: [1, 1000],
  bufferedBytes: [1, 1_048_576],
  pendingPublishes: [0, 10_000],
  pendingBytes: [0, 8_388_608],
  publishTtl: [0, Infinity],
};

const TRANSPORTS: readonly TransportName[] = ["ws", "sse", "poll"];

/**
 * Checks the name of a transport.
 *
 * @throws TypeError if there is no such transport.
 */
export function checkTransport(name: TransportName): TransportName {
  checkOption("transport", name, '"ws"|"sse"|"poll"');
  return name;
}

/**
 * Checks and completes the options of a client.
 *
 * @throws TypeError for an unknown option or a wrong value, and if the runtime has none of the transports.
 */
export function readSettings(options: ClientOptions | null | undefined): Settings {
  const given = readOptions<ClientOptions, Checked>(RULES, options);
  const { headers, transports, fetch = globalThis.fetch, WebSocket = globalThis.WebSocket } = given;
  const order = (transports?.length ? transports : TRANSPORTS).filter((name) =>
    checkTransport(name) === "ws" ? WebSocket : fetch,
  );
  if (order.length === 0) throw new TypeError("No transport: pass WebSocket or fetch.");
  return { ...given, fetch, WebSocket, transports: order, headers: headers && readHeaders(headers) };
}

/** Headers in one form: names in lower case, without those whose value is `undefined` or `null`. */
function readHeaders(headers: NonNullable<ClientOptions["headers"]>): Record<string, string> {
  const sent = new Headers(headers as Record<string, string>);
  for (const [name, value] of Object.entries(headers))
    if (value === undefined || value === null) sent.delete(name);
  return Object.fromEntries(sent);
}
