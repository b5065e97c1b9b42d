import { expect, it } from "vitest";
import { agreeOnDeflate } from "./permessage-deflate.ts";

const AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

it.each([
  ["permessage-deflate", AGREED, true],
  ["permessage-deflate; client_max_window_bits", AGREED, true],
  ["permessage-deflate; client_max_window_bits=10", `${AGREED}; client_max_window_bits=10`, true],
  ['permessage-deflate;client_max_window_bits="10"', `${AGREED}; client_max_window_bits=10`, true],
  ["permessage-deflate; server_no_context_takeover;\tclient_no_context_takeover ", AGREED, true],
  ["permessage-deflate; server_max_window_bits=9", `${AGREED}; server_max_window_bits=9`, false],
  ["x-other; a=1; b, permessage-deflate", AGREED, true],
  ["permessage-deflate; server_max_window_bits=16, permessage-deflate", AGREED, true],
])("the offer %s is agreed to", (offer, header, deflates) => {
  expect(agreeOnDeflate(offer)).toEqual({ header, deflates });
});

it.each([
  "x-other",
  "permessage-deflate; window=9",
  "permessage-deflate; server_max_window_bits",
  "permessage-deflate; server_max_window_bits=7",
  "permessage-deflate; client_max_window_bits=08",
  "permessage-deflate; server_no_context_takeover=1",
  "permessage-deflate; client_max_window_bits; client_max_window_bits",
])("the offer %s is declined", (offer) => {
  expect(agreeOnDeflate(offer)).toBeUndefined();
});

it.each([
  "",
  ",",
  "permessage-deflate;",
  "permessage-deflate=1",
  "a b",
  'a; b="c',
  "a; b=",
  'a; b=""',
  "a; ; b",
])("the offer %j is malformed", (offer) => {
  expect(() => agreeOnDeflate(offer)).toThrow(SyntaxError);
});
