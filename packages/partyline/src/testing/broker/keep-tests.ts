import assert from "node:assert/strict";
import type { Page } from "../../core/ports.ts";
import {
  after,
  type BrokerTest,
  channel,
  deletion,
  EARLIEST,
  HOUR,
  listen,
  message,
  MINUTE,
  NOW,
  page,
  put,
  putOne,
  refusal,
  SECOND,
  texts,
} from "./rig.ts";

/** What an attach would be told, short: gap reason, position, lost, offsets that follow. */
function brief({ gap, position, entries, remaining }: Page): unknown[] {
  assert.equal(entries.length, remaining);
  return [gap?.reason, position.offset, gap?.lost, entries.map((entry) => entry.offset)];
}

/** Retention, and the answers to `since`, by what a channel keeps. */
export const keepTests: readonly BrokerTest[] = [
  {
    title: "keeps the newest messages up to the count [KEEP-2]",
    async run({ broker }) {
      const spec = channel("keep/count", { retention: { count: 3, bytes: 1e6, age: HOUR } });
      await put(broker, spec, "a", "b");
      await put(broker, spec, "c", "d", "e");
      assert.deepEqual(texts((await page(broker, spec)).entries), ["c", "d", "e"]);
    },
  },
  {
    title: "counts a message's data and 100 bytes for each, and drops the oldest beyond the bound [KEEP-2]",
    async run({ broker }) {
      const spec = channel("keep/bytes", { retention: { count: 100, bytes: 330, age: HOUR } });
      for (const size of [10, 10, 10]) await put(broker, spec, message("", { data: new Uint8Array(size) }));
      assert.equal((await page(broker, spec)).entries.length, 3);
      await put(broker, spec, "");
      assert.equal((await page(broker, spec)).entries.length, 3);
      await put(broker, spec, "x".repeat(131));
      assert.deepEqual(
        (await page(broker, spec)).entries.map((entry) => entry.offset),
        [5],
      );
    },
  },
  {
    title: "counts the characters of a message's id and key too [KEEP-2]",
    async run({ broker }) {
      const spec = channel("keep/names", { retention: { count: 100, bytes: 450, age: HOUR } });
      for (const id of ["one", "two"]) await put(broker, spec, message("", { id, key: "k".repeat(100) }));
      assert.equal((await page(broker, spec)).entries.length, 2);
      await put(broker, spec, "");
      assert.deepEqual(
        (await page(broker, spec)).entries.map((entry) => entry.offset),
        [2, 3],
      );
    },
  },
  {
    title: "keeps the newest message however large",
    async run({ broker }) {
      const spec = channel("keep/newest", { retention: { count: 100, bytes: 200, age: HOUR } });
      await put(broker, spec, "a", "x".repeat(5000));
      assert.deepEqual(
        (await page(broker, spec)).entries.map((entry) => entry.offset),
        [2],
      );
      await put(broker, spec, "b");
      assert.deepEqual(texts((await page(broker, spec)).entries), ["b"]);
    },
  },
  {
    title: "never reads a message that is older than the age, the newest included [KEEP-3]",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("keep/age");
      const { epoch } = (await putOne(broker, spec, "a")).position;
      await advance(30 * MINUTE);
      await put(broker, spec, "b");
      await advance(30 * MINUTE + SECOND);
      assert.deepEqual(texts((await page(broker, spec)).entries), ["b"]);
      await advance(30 * MINUTE);
      const { entries, head, position, remaining } = await page(broker, spec);
      assert.deepEqual([entries, head, position, remaining], [[], 2, { epoch, offset: 2 }, 0]);
      assert.deepEqual(await broker.heads([spec.name]), [{ position: { epoch, offset: 2 }, oldest: 3 }]);
      assert.equal((await putOne(broker, spec, "c")).position.offset, 3);
    },
  },
  {
    title: "answers `since` on a history",
    async run({ broker }) {
      const spec = channel("since/history", { retention: { count: 3, bytes: 1e6, age: HOUR } });
      const { epoch } = (await putOne(broker, spec, "a")).position;
      await put(broker, spec, "b", "c", "d", "e");
      const answer = async (since = EARLIEST): Promise<unknown[]> => brief(await page(broker, spec, since));
      assert.deepEqual(await answer(NOW), [undefined, 5, undefined, []]);
      assert.deepEqual(await answer(EARLIEST), [undefined, 2, undefined, [3, 4, 5]]);
      assert.deepEqual(await answer({ at: "last", count: 2 }), [undefined, 3, undefined, [4, 5]]);
      assert.deepEqual(await answer({ at: "last", count: 0 }), [undefined, 5, undefined, []]);
      assert.deepEqual(await answer({ at: "last", count: 100 }), [undefined, 2, undefined, [3, 4, 5]]);
      assert.deepEqual(await answer(after(epoch, 5)), [undefined, 5, undefined, []]);
      assert.deepEqual(await answer(after(epoch, 3)), [undefined, 3, undefined, [4, 5]]);
      assert.deepEqual(await answer(after(epoch, 2)), [undefined, 2, undefined, [3, 4, 5]]);
      assert.deepEqual(await answer(after(epoch, 1)), ["retention", 2, 1, [3, 4, 5]]);
      assert.deepEqual(await answer(after(epoch, 0)), ["retention", 2, 2, [3, 4, 5]]);
      assert.deepEqual(await answer(after(epoch, 6)), ["unknown-position", 5, undefined, []]);
      assert.deepEqual(await answer(after("000000000000", 4)), ["epoch", 2, undefined, [3, 4, 5]]);
      assert.deepEqual(await answer(after("zzzzzzzzzzzz", 4)), ["epoch", 2, undefined, [3, 4, 5]]);
    },
  },
  {
    title: "answers `since` on an empty channel",
    async run({ broker }) {
      const spec = channel("since/empty");
      const { epoch } = (await broker.subscribe(spec, () => undefined)).head;
      const answer = async (since = EARLIEST): Promise<unknown[]> => brief(await page(broker, spec, since));
      for (const since of [NOW, EARLIEST, after(epoch, 0)])
        assert.deepEqual(await answer(since), [undefined, 0, undefined, []]);
      assert.deepEqual(await answer(after(epoch, 1)), ["unknown-position", 0, undefined, []]);
      assert.deepEqual(await answer(after("000000000000", 0)), ["epoch", 0, undefined, []]);
    },
  },
  {
    title: "keeps the newest entry of each key, in the order of offsets, and tombstones [KEEP-8]",
    async run({ broker }) {
      const spec = channel("latest/order", { keep: "latest" });
      const results = await put(
        broker,
        spec,
        message("a1", { key: "a" }),
        message("b1", { key: "b" }),
        message("none"),
        message("a2", { key: "a" }),
        deletion("b"),
        deletion("never"),
        message("empty", { key: "" }),
      );
      const epoch = results[0]?.position.epoch ?? "";
      const { entries } = await page(broker, spec);
      assert.deepEqual(
        entries.map((entry) => [entry.offset, entry.kind, entry.key]),
        [
          [4, "text", "a"],
          [5, "deleted", "b"],
          [6, "deleted", "never"],
          [7, "text", ""],
        ],
      );
      const answer = async (since = EARLIEST): Promise<unknown[]> => brief(await page(broker, spec, since));
      assert.deepEqual(await answer(EARLIEST), [undefined, 3, undefined, [4, 5, 6, 7]]);
      assert.deepEqual(await answer(after(epoch, 0)), [undefined, 0, undefined, [4, 5, 6, 7]]);
      assert.deepEqual(await answer(after(epoch, 5)), [undefined, 5, undefined, [6, 7]]);
      assert.deepEqual(await answer(after(epoch, 9)), ["unknown-position", 3, undefined, [4, 5, 6, 7]]);
      assert.deepEqual(await answer(after("000000000000", 7)), ["epoch", 3, undefined, [4, 5, 6, 7]]);
    },
  },
  {
    title: "keeps values of a latest channel whatever their age and count [KEEP-7]",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("latest/values", {
        keep: "latest",
        retention: { count: 1, bytes: 1e6, age: MINUTE },
      });
      await put(broker, spec, message("a", { key: "a" }), message("b", { key: "b" }));
      await advance(1000 * HOUR);
      assert.deepEqual(texts((await page(broker, spec)).entries), ["a", "b"]);
    },
  },
  {
    title:
      "drops tombstones by age, and gives whoever is before one a gap and the full state [KEEP-8, KEEP-9]",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("latest/floor", { keep: "latest" });
      const { epoch } = (await putOne(broker, spec, message("a", { key: "a" }))).position;
      await put(broker, spec, message("b", { key: "b" }), message("c", { key: "c" }), deletion("b"));
      await advance(30 * MINUTE);
      await put(broker, spec, deletion("c"));
      const answer = async (since = EARLIEST): Promise<unknown[]> => brief(await page(broker, spec, since));
      assert.deepEqual(await answer(after(epoch, 1)), [undefined, 1, undefined, [4, 5]]);
      await advance(30 * MINUTE + SECOND);
      // The full state begins below the reader, so nothing can be said of how much was lost.
      assert.deepEqual(await answer(after(epoch, 3)), ["retention", 0, undefined, [1, 5]]);
      assert.deepEqual(await answer(after(epoch, 0)), ["retention", 0, 0, [1, 5]]);
      assert.deepEqual(await answer(after(epoch, 4)), [undefined, 4, undefined, [5]]);
      await advance(30 * MINUTE);
      assert.deepEqual(await answer(after(epoch, 4)), ["retention", 0, undefined, [1]]);
      assert.deepEqual(await answer(after(epoch, 5)), [undefined, 5, undefined, []]);
    },
  },
  {
    title: "refuses one key too many, and counts a deleted key no more [KEEP-11]",
    async run({ broker }) {
      const spec = channel("latest/keys", { keep: "latest", maxKeys: 2 });
      const value = (key: string): ReturnType<typeof message> => message(key, { key });
      await put(broker, spec, value("a"), value("b"), value("a"));
      assert.deepEqual(await refusal(broker, spec, value("c")), { index: 0, code: "too-many-keys" });
      await put(broker, spec, deletion("a"), value("c"), value("b"));
      assert.deepEqual(await refusal(broker, spec, value("a")), { index: 0, code: "too-many-keys" });
      assert.deepEqual(texts((await page(broker, spec)).entries), ["", "c", "b"]);
    },
  },
  {
    title:
      "refuses values beyond the bytes of a latest channel, but not a smaller one nor the only one [KEEP-17]",
    async run({ broker }) {
      const spec = channel("latest/bytes", {
        keep: "latest",
        retention: { count: 100, bytes: 500, age: HOUR },
      });
      const value = (key: string, size: number): ReturnType<typeof message> =>
        message("x".repeat(size), { key });
      await put(broker, spec, value("a", 900));
      assert.deepEqual(await refusal(broker, spec, value("b", 1)), { index: 0, code: "too-many-keys" });
      await put(broker, spec, value("a", 149), value("b", 149));
      const grown = [value("b", 150), value("b", 151)];
      assert.deepEqual(await refusal(broker, spec, value("a", 1), ...grown, value("a", 149)), {
        index: 3,
        code: "too-many-keys",
      });
      await put(broker, spec, deletion("a"), value("b", 300));
      const sizes = (await page(broker, spec)).entries.map(({ data }) => data.byteLength);
      assert.deepEqual(sizes, [300]);
    },
  },
  {
    title: "drops tombstones, the oldest first, that take what values may take [KEEP-17]",
    async run({ broker }) {
      const spec = channel("latest/graves", {
        keep: "latest",
        retention: { count: 100, bytes: 320, age: HOUR },
      });
      const { epoch } = (await putOne(broker, spec, deletion("a"))).position;
      await put(broker, spec, deletion("b"), deletion("c"));
      await put(broker, spec, message("value", { key: "d" }));
      const answer = async (offset: number): Promise<unknown[]> =>
        brief(await page(broker, spec, after(epoch, offset)));
      assert.deepEqual(await answer(0), ["retention", 1, 1, [2, 3, 4]]);
      await put(broker, spec, message("x".repeat(150), { key: "d" }));
      assert.deepEqual(await answer(1), ["retention", 4, 3, [5]]);
    },
  },
  {
    title: "keeps at most as many tombstones as keys, and drops the oldest beyond as if by age [KEEP-9]",
    async run({ broker }) {
      const spec = channel("latest/tombstones", { keep: "latest", maxKeys: 2 });
      const { epoch } = (await putOne(broker, spec, deletion("a"))).position;
      await put(broker, spec, deletion("b"), deletion("c"));
      const answer = async (since = EARLIEST): Promise<unknown[]> => brief(await page(broker, spec, since));
      assert.deepEqual(await answer(), [undefined, 1, undefined, [2, 3]]);
      assert.deepEqual(await answer(after(epoch, 0)), ["retention", 1, 1, [2, 3]]);
    },
  },
  {
    title: "keeps nothing of an ephemeral channel but its count",
    async run({ broker }) {
      const spec = channel("nothing", { keep: "nothing" });
      const ear = await listen(broker, spec);
      const { epoch } = (await putOne(broker, spec, "a")).position;
      await put(broker, spec, "b", "c");
      await ear.until(3);
      assert.deepEqual(texts(ear.heard.map(({ entry }) => entry)), ["a", "b", "c"]);
      const answer = async (since = EARLIEST): Promise<unknown[]> => brief(await page(broker, spec, since));
      assert.deepEqual(await answer(NOW), [undefined, 3, undefined, []]);
      assert.deepEqual(await answer(EARLIEST), [undefined, 3, undefined, []]);
      assert.deepEqual(await answer(after(epoch, 3)), [undefined, 3, undefined, []]);
      assert.deepEqual(await answer(after(epoch, 1)), ["not-kept", 3, 2, []]);
      assert.deepEqual(await answer(after(epoch, 4)), ["unknown-position", 3, undefined, []]);
      assert.deepEqual(await answer(after("000000000000", 3)), ["epoch", 3, undefined, []]);
    },
  },
];
