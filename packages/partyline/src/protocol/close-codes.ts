/**
 * Close codes of a WebSocket, as a second table: the range alone decides whether a client comes again.
 *
 * 4400-4499: come again only changed. 4500-4599, 1001, 1005, 1006, 1011-1013: come again, with backoff.
 * 1002, 1003, 1007 and 1009 mean what RFC 6455 section 7.4.1 says: the sender was wrong, so it must change too.
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

/** Does this close code let a client connect again by itself, with backoff? */
export function mayReconnect(code: number): boolean {
  // In figures, because a client that is to stay small asks this, and needs nothing else of the table.
  return (code >= 4500 && code < 4600) || [1001, 1005, 1006, 1011, 1012, 1013].includes(code);
}
