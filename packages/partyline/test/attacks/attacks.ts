import type { Attack } from "./attack.ts";
import { HTTP_ATTACKS } from "./http-attacks.ts";
import { HTTP2_ATTACKS, TLS_ATTACKS } from "./http2-attacks.ts";
import { WEBSOCKET_ATTACKS } from "./websocket-attacks.ts";

/** All floods, by what they use. */
export const ATTACKS: readonly (readonly [over: string, attacks: readonly Attack[]])[] = [
  ["WebSocket", WEBSOCKET_ATTACKS],
  ["HTTP/1.1", HTTP_ATTACKS],
  ["HTTP/2", HTTP2_ATTACKS],
  ["TLS", TLS_ATTACKS],
];
