import type { ClientState, ClientStatus } from "partyline/client";
import { PartylineError } from "partyline/client";
import { describe, expect, it } from "vitest";
import { isChatMessage, MAX_TEXT } from "../src/message.ts";
import { connectionText, followAway } from "../src/page/connection.ts";
import { gapSentence } from "../src/page/gaps.ts";
import { roomHash, roomName, roomOf } from "../src/page/rooms.ts";
import { TypingList, TypingTeller, typingSentence } from "../src/page/typing.ts";

function stateOf(status: ClientStatus, reason?: string): ClientState {
  const error = reason === undefined ? {} : { reason: new PartylineError("offline", reason) };
  return { status, since: 0, transport: "ws", ...error };
}

describe("a gap", () => {
  it("is told with how many are missing and why", () => {
    expect(gapSentence({ reason: "retention", lost: 3 })).toBe(
      "3 messages are gone: you were away longer than this room keeps them.",
    );
    expect(gapSentence({ reason: "retention", lost: 1 })).toMatch(/^1 message is gone/);
  });

  it("does not claim to know what it doesn't", () => {
    expect(gapSentence({ reason: "epoch" })).toBe(
      "Messages may be gone: the server was started anew and has lost what came before.",
    );
  });
});

describe("the connection", () => {
  const lost = stateOf("reconnecting", "The connection was cut");

  it("is told with what ended it and for how long it has been away", () => {
    const away = followAway(undefined, lost, 1000);
    expect(connectionText(lost, away, 5900)).toEqual({
      label: "Reconnecting",
      why: "",
      detail:
        "The connection was cut. Trying again for 4 s. What you write is kept and sent when the connection is back.",
    });
  });

  it("keeps the first reason and the first moment through further attempts, until it is back", () => {
    const first = followAway(undefined, lost, 1000);
    const later = followAway(first, stateOf("offline", "A request failed."), 3000);
    expect(later).toEqual({ since: 1000, reason: "The connection was cut. " });
    expect(followAway(later, stateOf("live"), 4000)).toBeUndefined();
  });

  it("tells why it is closed for good", () => {
    const closed = stateOf("closed", "Version 1 is not spoken here.");
    const away = followAway(followAway(undefined, lost, 0), closed, 1);
    expect(connectionText(closed, away, 2).detail).toBe(
      "Version 1 is not spoken here. Reload the page to connect again.",
    );
  });

  it("says nothing more while all is well, nor in the first moments", () => {
    expect(connectionText(stateOf("live"), undefined, 9000)).toEqual({ label: "Live", why: "", detail: "" });
    expect(connectionText(stateOf("connecting"), { since: 0, reason: "" }, 2999).detail).toBe("");
    expect(connectionText(stateOf("connecting"), { since: 0, reason: "" }, 3000).detail).toMatch(
      /^Trying for 3 s/,
    );
  });

  it("is told by which way it is where that is not the best, and why", () => {
    const because = { ws: "HTTP status 502." };
    expect(connectionText({ status: "live", since: 0, transport: "sse", because }, undefined, 0)).toEqual({
      label: "Live by event stream",
      why: "WebSocket: HTTP status 502.",
      detail: "",
    });
  });

  it("is told with the seconds until the next attempt, and then with how long it has been tried", () => {
    const away = { since: 0, reason: "" };
    const waiting = { ...lost, retryAt: 7_500 };
    const detailAt = (now: number) => connectionText(waiting, away, now).detail.split(" What")[0];
    expect([5_000, 6_600, 7_500].map(detailAt)).toEqual([
      "Next attempt in 3 s.",
      "Next attempt in 1 s.",
      "Trying again for 7 s.",
    ]);
  });

  it("is told to be checked when the page has slept, without a word about losing anything", () => {
    expect(followAway(undefined, stateOf("suspect"), 0)).toBeUndefined();
    expect(connectionText(stateOf("suspect"), undefined, 0)).toEqual({
      label: "Checking",
      why: "",
      detail: "",
    });
  });
});

describe("a room's name", () => {
  it("is letters and digits of any script, joined by hyphens", () => {
    expect(
      ["Lobby", " Rock & Roll! ", "Ünï/cöde", "東京 2020", "a".repeat(50), "*{}:"].map(roomName),
    ).toEqual(["lobby", "rock-roll", "ünï-cöde", "東京-2020", "a".repeat(32), ""]);
  });

  it("comes from the address: its hash, or its query, or it is the lobby", () => {
    const rooms = ["#/music", "?room=Jazz%20Club", roomHash("東京"), "#jazz", "", "#%"].map((end) =>
      roomOf(new URL(`http://host/chat/${end}`)),
    );
    expect(rooms).toEqual(["music", "jazz-club", "東京", "jazz", "lobby", "lobby"]);
  });
});

describe("who is typing", () => {
  it("is forgotten when they say so, have spoken, or are silent for five seconds", () => {
    const list = new TypingList();
    for (const name of ["Ada", "Eve", "Bob"]) list.heard({ by: name, name, typing: true }, 0);
    list.heard({ by: "Ada", name: "Ada", typing: false }, 1000);
    list.spoke("Eve");
    expect(list.names(4999)).toEqual(["Bob"]);
    expect(list.names(5000)).toEqual([]);
  });

  it("is told as a sentence", () => {
    expect([[], ["Ada"], ["Ada", "Eve"], ["Ada", "Eve", "Bob"]].map(typingSentence)).toEqual([
      "",
      "Ada is typing",
      "Ada and Eve are typing",
      "Several people are typing",
    ]);
  });

  it("is told rarely while it lasts, and its end once", () => {
    const told: boolean[] = [];
    const teller = new TypingTeller((typing) => told.push(typing));
    for (let time = 0; time <= 5000; time += 100) teller.typed(time);
    teller.stopped();
    teller.stopped();
    expect(told).toEqual([true, true, true, false]);
  });
});

describe("a chat message", () => {
  it("has an author, a name and a text within its limits", () => {
    const message = { by: "1", name: "Ada", text: "hello" };
    expect(isChatMessage(message)).toBe(true);
    expect(isChatMessage({ ...message, text: "x".repeat(MAX_TEXT + 1) })).toBe(false);
    expect(isChatMessage({ ...message, name: " " })).toBe(false);
    expect(isChatMessage("hello")).toBe(false);
    expect(isChatMessage(null)).toBe(false);
  });
});
