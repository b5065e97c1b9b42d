import { openConnectPoll, openConnectSse, openJsonPoll, openRawSse } from "./http-probes.ts";
import type { Transport } from "./probe.ts";
import { openConnectWebSocket, openRawWebSocket } from "./websocket-probes.ts";

const NO_PLACE = "a raw frame is the message and nothing else";
const NO_NAMES = "an event stream tells the message and its position";

/** Every way to read a channel; what one can't do is data, with the reason. */
export const TRANSPORTS: readonly Transport[] = [
  {
    name: "a raw WebSocket",
    lacks: {
      ids: NO_PLACE,
      skips: NO_PLACE,
      marks: NO_PLACE,
      deletions: NO_PLACE,
      "open end": "a gap ends it: it has no place for one",
    },
    open: openRawWebSocket,
  },
  { name: "/connect over WebSocket", lacks: {}, open: openConnectWebSocket },
  {
    name: "an event stream",
    lacks: { ids: NO_NAMES },
    open: (request) => openRawSse(request),
  },
  { name: "/connect over an event stream", lacks: {}, open: openConnectSse },
  {
    name: "long polls in JSON",
    lacks: {
      marks: "an answer tells the head",
      skips: "an answer tells the position where it goes on",
    },
    open: openJsonPoll,
  },
  {
    name: "/connect over long polls",
    lacks: { marks: "a mark is no news: it ends no poll" },
    open: openConnectPoll,
  },
];
