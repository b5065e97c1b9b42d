import type { ClientOptions } from "./client-types.ts";
import type { TransportName } from "./link.ts";
import { givenOptions, type OptionDefaults, readOptions } from "./options.ts";

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

const DEFAULTS: OptionDefaults<ClientOptions> = {
  transports: undefined,
  token: undefined,
  headers: undefined,
  credentials: undefined,
  share: undefined,
  outbox: undefined,
  fetch: undefined,
  WebSocket: undefined,
  baseDelay: 500,
  maxDelay: 30_000,
  fallbackDelay: 1000,
  openTimeout: 10_000,
  stableAfter: 10_000,
  upgradeInterval: 60_000,
  pingInterval: 25_000,
  pongTimeout: 10_000,
  bufferedMessages: 1000,
  bufferedBytes: 1_048_576,
  pendingPublishes: 10_000,
  pendingBytes: 8_388_608,
  publishTtl: Infinity,
};

/** Shortest interval between attempts that do not end by themselves, in milliseconds. */
const LEAST_INTERVAL_MS = 100;

/**
 * Checks and completes the options of a client.
 *
 * @throws TypeError for an unknown option or a wrong value, and if the runtime has none of the transports.
 */
export function readSettings(options: ClientOptions | null | undefined): Settings {
  const given = readOptions<ClientOptions, Checked>(options, DEFAULTS);
  const { headers, fetch = globalThis.fetch, WebSocket = globalThis.WebSocket } = given;
  // Browsers send cookies with each WebSocket.
  const ways = { ws: given.credentials !== "omit" && WebSocket, sse: fetch, poll: fetch };
  const names = given.transports?.length ? given.transports : (Object.keys(ways) as TransportName[]);
  const transports = names.filter((name) => ways[name]);
  if (transports.length === 0 || names.some((name) => !(name in ways)))
    throw new TypeError(`Option transports: ${names.join()} is not available.`);
  return {
    ...given,
    fetch,
    WebSocket,
    transports,
    // In one form: names in lower case.
    headers: headers && Object.fromEntries(new Headers(givenOptions(headers))),
    upgradeInterval: Math.max(given.upgradeInterval, LEAST_INTERVAL_MS),
    pingInterval: Math.max(given.pingInterval, LEAST_INTERVAL_MS),
  };
}
