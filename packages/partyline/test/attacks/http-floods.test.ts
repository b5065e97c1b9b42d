/** Each thing that a peer without credentials can send over HTTP/1.1, sent as fast as one connection takes it. */
import { describe, it } from "vitest";
import { HTTP_ATTACKS } from "./http-attacks.ts";
import { surviveFlood } from "./floods.ts";

describe("over HTTP/1.1", () => {
  it.each(HTTP_ATTACKS)("a bystander is served, and memory returns, during $name", surviveFlood);
});
