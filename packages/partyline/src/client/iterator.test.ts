import { once } from "node:events";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { attachedAt, EPOCH, messageAt } from "../testing/client-rig.ts";
import { listening } from "../testing/listening.ts";

const at = (offset: number): string => `${EPOCH}:${offset}`;
const gapFields = { from: at(2), to: at(7), reason: "retention", lost: 5 };
const messages = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => messageAt(from + index));

describe("a slow reader", () => {
  it("makes the channel lag at 1 000 messages and attach again when half is read [ATT-11]", async () => {
    const { socket, channel, off } = await listening();
    const iterator = channel.messages();
    off();
    socket.say(...Array.from({ length: 1200 }, (_, index) => messageAt(index + 1)));
    expect(channel.state.status).toBe("lagging");
    expect(socket.take()).toEqual([{ t: "detach", n: 2, channel: "a" }]);
    expect(channel.position).toBe(at(1000));
    for (let count = 1; count <= 499; count++) await iterator.next();
    expect(socket.take()).toEqual([]);
    await iterator.next();
    expect(socket.take()).toEqual([{ t: "attach", n: 3, channel: "a", since: at(1000) }]);
    socket.say(attachedAt(3, 1000), messageAt(1001));
    for (let count = 501; count <= 1000; count++) await iterator.next();
    expect((await iterator.next()).value).toMatchObject({ offset: 1001 });
  });

  it("makes the channel lag at 1 MiB [ATT-11]", async () => {
    const { socket, channel, off } = await listening();
    void channel.messages();
    off();
    for (let offset = 1; offset <= 20; offset++) socket.say(messageAt(offset, { data: "x".repeat(100_000) }));
    expect(channel.state.status).toBe("lagging");
    expect(channel.position).toBe(at(11));
  });

  it("lags as well while a gap waits for its decision [ATT-11]", async () => {
    const { socket, channel, got } = await listening({ onGap: "pause" });
    channel.on("gap", () => undefined);
    socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields });
    socket.take();
    socket.say(...Array.from({ length: 1100 }, (_, index) => messageAt(index + 8)));
    expect(socket.take()).toEqual([{ t: "detach", n: 2, channel: "a" }]);
    channel.resume();
    expect(got).toHaveLength(1002);
    expect(socket.take()).toEqual([{ t: "attach", n: 3, channel: "a", since: at(1007) }]);
  });

  it("that iterates holds up no listener, is given what waits, and then the reason [ATT-12]", async () => {
    const { socket, channel, got } = await listening();
    const iterator = channel.messages();
    socket.say(...messages(1, 3000));
    expect(got).toHaveLength(3000);
    expect(channel.state.status).toBe("attached");
    expect(socket.take()).toEqual([]);
    for (let count = 1; count <= 1000; count++)
      expect((await iterator.next()).value).toMatchObject({ offset: count });
    await expect(iterator.next()).rejects.toMatchObject({
      code: "overloaded",
      remedy: expect.stringMatching(/./) as string,
    });
    const again = channel.messages();
    socket.say(messageAt(3001));
    expect((await again.next()).value).toMatchObject({ offset: 3001 });
  });

  it("that iterates lets the channel go on when a listener comes", async () => {
    const { socket, channel, got, off } = await listening();
    void channel.messages();
    off();
    socket.say(...messages(1, 1200));
    socket.take();
    channel.on("message", ({ data }) => got.push(data));
    expect(socket.take()).toEqual([{ t: "attach", n: 3, channel: "a", since: at(1000) }]);
    socket.say(attachedAt(3, 1000), ...messages(1001, 1002));
    expect(got).toEqual([1001, 1002]);
  });
});

describe("an iterator", () => {
  const done = { done: true, value: undefined };
  const error = new Error("mine");

  it.each<[string, (iterator: AsyncIterableIterator<unknown, void>) => Promise<unknown>]>([
    ["return", (iterator) => iterator.return?.() ?? Promise.reject(error)],
    ["throw", (iterator) => (iterator.throw?.(error) ?? Promise.resolve()).catch(() => undefined)],
    [
      "Readable.from(…).destroy",
      (iterator) => {
        const readable = Readable.from(iterator);
        readable.destroy(error);
        return once(readable, "close").catch(() => undefined);
      },
    ],
  ])(
    "is ended by %s, before its first message, while it waits, and behind its first message",
    async (_name, end) => {
      for (const when of ["before", "waiting", "behind"]) {
        const { socket, channel, off } = await listening();
        const [iterator, other] = [channel.messages(), channel.messages()];
        off();
        const next = when === "before" ? undefined : iterator.next();
        if (when === "behind") {
          socket.say(messageAt(1), messageAt(2));
          await next;
        }
        await end(iterator);
        const waited = when === "waiting" ? await next : done;
        expect(waited).toEqual(done);
        expect(await iterator.next()).toEqual(done);
        expect(socket.take()).toEqual([]);
        await other.return?.();
        expect(socket.take()).toEqual([{ t: "detach", n: 2, channel: "a" }]);
      }
    },
  );

  it("rejects with the error that it is ended by", async () => {
    const { channel } = await listening();
    await expect(channel.messages().throw?.(error)).rejects.toBe(error);
    const waiting = channel.messages();
    const next = waiting.next();
    await expect(waiting.throw?.(error)).rejects.toBe(error);
    expect(await next).toEqual(done);
  });

  it("that a loop leaves, by break or by an error, is no reader any more", async () => {
    const { socket, channel, off } = await listening();
    for (const leave of ["break", "throw"]) {
      const read = (async () => {
        for await (const _message of channel.messages()) {
          if (leave === "break") break;
          throw error;
        }
      })();
      socket.say(messageAt(leave === "break" ? 1 : 2));
      await read.catch(() => undefined);
    }
    off();
    expect(channel.state.status).toBe("detached");
  });

  it("that is closed while it waits is done, and one that is aborted before it begins never reads", async () => {
    const { channel, off, socket } = await listening();
    const iterator = channel.messages();
    const next = iterator.next();
    channel.close();
    expect(await next).toEqual(done);
    off();
    socket.take();
    expect(await channel.messages({ signal: AbortSignal.abort() }).next()).toEqual(done);
    expect(socket.take()).toEqual([]);
  });
});
