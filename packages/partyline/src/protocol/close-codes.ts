/**
 * Close codes of a WebSocket, as a second table: the range alone decides whether a client comes again.
 *
 * 4400-4499: come again only changed. All others: come again, with backoff.
 * 1002, 1003, 1007, 1008 and 1009 mean what RFC 6455 section 7.4.1 says: the peer objects to what was sent.
 */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  noStatus: 1005,
  abnormal: 1006,
  badPayload: 1007,
  policy: 1008,
  tooBig: 1009,
  internalError: 1011,
  serviceRestart: 1012,
  tryLater: 1013,
  badFrame: 4400,
  unauthorized: 4401,
  forbidden: 4403,
  unknownChannel: 4404,
  tooManyChannels: 4409,
  gap: 4410,
  tooLarge: 4413,
  wrongType: 4415,
  invalid: 4422,
  version: 4426,
  internal: 4500,
  unavailable: 4503,
  slow: 4504,
  tokenExpired: 4508,
} as const;

/**
 * Whether a client on `/connect` connects again by itself, with backoff, after this close code. A partyline server ends
 * for good with 4400-4499 only. Every other code may come from a proxy or a gateway on the way.
 */
export function mayReconnect(code: number): boolean {
  return code < 4400 || code > 4499;
}
