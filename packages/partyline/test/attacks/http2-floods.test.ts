/** Each thing that a peer without credentials can send over TLS and HTTP/2, sent as fast as one connection takes it. */
import { describe, it } from "vitest";
import { HTTP2_ATTACKS, TLS_ATTACKS } from "./http2-attacks.ts";
import { surviveFlood } from "./floods.ts";

describe("over HTTP/2", () => {
  it.each(HTTP2_ATTACKS)("a bystander is served, and memory returns, during $name", surviveFlood);
});
describe("over TLS", () => {
  it.each(TLS_ATTACKS)("a bystander is served, and memory returns, during $name", surviveFlood);
});
