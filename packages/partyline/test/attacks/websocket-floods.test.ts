/** Each thing that a peer without credentials can send over WebSocket, sent as fast as one connection takes it. */
import { describe, it } from "vitest";
import { WEBSOCKET_ATTACKS } from "./websocket-attacks.ts";
import { surviveFlood } from "./floods.ts";

describe("over WebSocket", () => {
  it.each(WEBSOCKET_ATTACKS)("a bystander is served, and memory returns, during $name", surviveFlood);
});
