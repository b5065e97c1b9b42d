/** A room without a page: what it knows when the network lets it down. */
import { createTestNetwork, type TestNetwork } from "partyline/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { channels } from "../src/app.ts";
import { Room } from "../src/page/room.ts";

let net: TestNetwork;

/** What the browser keeps for a window. */
function createStorage(): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

async function enter(name: string) {
  const client = await net.client();
  const room = new Room(
    client,
    "lobby",
    () => ({ by: name, name }),
    () => undefined,
  );
  await net.settled();
  return { line: client.line, room };
}

/** What stands in the room, from top to bottom. */
const texts = ({ room }: { readonly room: Room }): string[] => room.log.map(({ text }) => text);

beforeEach(async () => {
  vi.stubGlobal("sessionStorage", createStorage());
  net = await createTestNetwork({ channels });
});

afterEach(() => net.close());

describe("a room", () => {
  it("keeps what is said in a tunnel, and sends it once and in order behind it", async () => {
    const ada = await enter("Ada");
    const grace = await enter("Grace");
    ada.line.unplug();
    ada.room.say("one");
    ada.room.say("two");
    grace.room.say("meanwhile");
    await net.advance(300_000);
    expect(ada.room.unsent.map(({ text, state }) => `${text} ${state}`)).toEqual([
      "one waiting",
      "two waiting",
    ]);
    expect(texts(ada)).toEqual([]);

    ada.line.mend();
    await net.settled();
    expect(ada.room.unsent).toEqual([]);
    expect(texts(ada)).toEqual(["meanwhile", "one", "two"]);
    expect(texts(grace)).toEqual(texts(ada));
  });

  it("stores a message once whose acknowledgement was lost", async () => {
    const ada = await enter("Ada");
    ada.line.blackhole("down");
    ada.room.say("did you hear?");
    await net.advance(60_000);
    expect(ada.room.unsent).toHaveLength(1);
    ada.line.mend();
    await net.settled();
    expect(ada.room.unsent).toEqual([]);
    expect(texts(ada)).toEqual(["did you hear?"]);
  });

  it("says how many messages are gone when one was away for too long", async () => {
    const ada = await enter("Ada");
    const grace = await enter("Grace");
    ada.line.unplug();
    grace.room.say("one");
    grace.room.say("two");
    await net.settled();
    net.trim("chat/lobby");
    ada.line.mend();
    await net.settled();
    grace.room.say("three");
    await net.settled();
    expect(texts(ada)).toEqual([
      "2 messages are gone: you were away longer than this room keeps them.",
      "three",
    ]);
    expect(texts(grace)).toEqual(["one", "two", "three"]);
  });

  it("goes on, and says so, when the server has lost its past", async () => {
    const ada = await enter("Ada");
    ada.room.say("before");
    await net.settled();
    net.server.crash();
    ada.room.say("unsent");
    await net.server.restart();
    await net.settled();
    expect(texts(ada)).toEqual([
      "before",
      "Messages may be gone: the server was started anew and has lost what came before.",
      "unsent",
    ]);
    expect(ada.room.unsent).toEqual([]);
  });
});
