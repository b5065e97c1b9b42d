import { describe, expect, it } from "vitest";
import { PartylineError } from "../../protocol/partyline-error.ts";
import { createPartyline } from "../../server.ts";
import { createClient } from "../../client/create-client.ts";
import { createOracle } from "./oracle.ts";

/** A server, an oracle, and a client's channel `a`. */
async function open(options: Parameters<ReturnType<typeof createClient>["channel"]>[1] = {}) {
  const server = createPartyline({ logger: { info() {}, warn() {}, error() {} } });
  const { url } = await server.listen(0);
  const client = createClient(url);
  const channel = client.channel("a", { onGap: "continue", ...options });
  return {
    server,
    channel,
    oracle: createOracle(),
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close();
    },
  };
}

describe("an oracle", () => {
  it("watches a channel, and publishes to it and to the server's", async () => {
    await using rig = await open({ since: "earliest" });
    const { oracle, channel, server } = rig;
    const third = new Promise<void>((resolve) => {
      channel.on("message", ({ offset }) => {
        if (offset === 3) resolve();
      });
    });
    oracle.watch(channel, "anna");
    await oracle.publish(channel, { text: "hello" }, { publisher: "anna" });
    await oracle.publish(server.channel("a"), "plain", { kind: "text", publisher: "server" });
    await oracle.publish(channel, new Uint8Array([1, 2]), { publisher: "anna" });
    await third;
    const { messages, head } = await server.channel("a").history();
    oracle.ended("a", head, messages);
    expect(oracle.violations()).toEqual([]);
    expect(oracle.evidence.readers[0]?.told.map(({ is }) => is)).toEqual([
      "began",
      "message",
      "message",
      "message",
    ]);

    // What it is told by others it holds against that.
    oracle.reader("a", "bob").message({ position: head ?? "", kind: "json", data: "forged" });
    expect(oracle.violations().map(({ is }) => is)).toContain("disagreement");
  });

  it("puts what an iterator's reader was told in order again: gaps are told at once, messages when they are taken", async () => {
    const oracle = createOracle();
    const client = createClient("http://127.0.0.1:1", { transports: ["poll"] });
    const channel = client.channel("a");
    const taken = [1, 2, 6, 7].map((offset) => ({
      position: `e:${offset}`,
      kind: "json" as const,
      data: offset,
    }));
    const listeners: ((gap: object) => void)[] = [];
    const messages = oracle.messages({
      name: "a",
      position: "e:0",
      on: ((event: string, listener: () => void) => {
        if (event === "gap") listeners.push(listener);
        return () => undefined;
      }) as typeof channel.on,
      messages: async function* () {
        yield* taken;
      } as unknown as typeof channel.messages,
    });
    for (const listener of listeners) listener({ from: "e:2", to: "e:5", reason: "retention", lost: 3 });
    for await (const message of messages) expect(message.kind).toBe("json");
    await client.close();
    expect(oracle.evidence.readers[0]?.told.map(({ is }) => is)).toEqual([
      "began",
      "message",
      "message",
      "gap",
      "message",
      "message",
    ]);
    expect(oracle.evidence.readers[0]?.present).toBe(false);
  });

  it("keeps what a refused publish was refused for, and throws it on", async () => {
    const oracle = createOracle();
    const channel = {
      name: "a",
      publish: () => Promise.reject(new PartylineError("invalid", "no")),
    };
    await expect(oracle.publish(channel, 1)).rejects.toMatchObject({ code: "invalid" });
    expect(oracle.evidence.publishes[0]?.fate).toEqual({ is: "refused", code: "invalid" });
  });

  it("deletes, and counts the lives that were ended on purpose", async () => {
    const oracle = createOracle();
    oracle.define("a", { keep: "latest" });
    await oracle.delete(
      { name: "a", delete: () => Promise.resolve({ position: "e:1", duplicate: false }) },
      "key",
      "anna",
    );
    oracle.lostPast();
    oracle.ended("a", "f:0");
    expect(oracle.violations()).toEqual([]);
    oracle.ended("a", "g:0");
    oracle.lostPast("b");
    oracle.reader("a").began("f:0");
    expect(oracle.evidence.channels).toMatchObject([{ channel: "a", keep: "latest", lives: 2 }]);
  });

  it("takes two spellings of a name for one channel [NAME-4]", async () => {
    const oracle = createOracle();
    const stored = (name: string) => ({
      name,
      publish: () => Promise.resolve({ position: "e:1", duplicate: false }),
    });
    oracle.define("caf\u00e9", { keep: "history" });
    await oracle.publish(stored("cafe\u0301"), 1);
    const reader = oracle.reader("cafe\u0301", "anna");
    reader.began("e:0");
    oracle.ended("caf\u00e9", "e:1");
    expect(oracle.evidence.channels.map(({ channel }) => channel)).toEqual(["caf\u00e9"]);
    expect(oracle.violations().map(({ is, of }) => [is, of])).toEqual([["behind", "anna"]]);
  });

  it("hands an error that ends its iterator to the channel's, and wants that reader no more at the head", async () => {
    await using rig = await open({ since: "earliest" });
    const { oracle, channel, server } = rig;
    const messages = oracle.messages(channel, "anna");
    await oracle.publish(server.channel("a"), 1, { publisher: "server" });
    await messages.next();
    await oracle.publish(server.channel("a"), 2, { publisher: "server" });
    await expect(messages.throw?.(new Error("enough"))).rejects.toThrow("enough");
    const { messages: kept, head } = await server.channel("a").history();
    oracle.ended("a", head, kept);
    expect(oracle.violations()).toEqual([]);
    expect((await messages.next()).done).toBe(true);
  });
});
