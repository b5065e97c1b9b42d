import assert from "node:assert/strict";
import { decodeText } from "../../protocol/message.ts";
import {
  after,
  type BrokerTest,
  channel,
  deletion,
  EARLIEST,
  HOUR,
  listen,
  message,
  NOW,
  page,
  plain,
  put,
  putOne,
  refusal,
  texts,
} from "./rig.ts";

/** Offsets, times, batches, pages. */
export const orderTests: readonly BrokerTest[] = [
  {
    title: "gives the first message offset 1 and every other one more, whatever the channel keeps [KEEP-1]",
    async run({ broker }) {
      for (const keep of ["history", "latest", "nothing"] as const) {
        const spec = channel(`order/${keep}`, { keep });
        const first = await put(broker, spec, "a");
        const more = await put(broker, spec, "b", "c");
        assert.deepEqual(
          [...first, ...more].map((result) => result.position.offset),
          [1, 2, 3],
        );
      }
    },
  },
  {
    title: "names an epoch by 12 characters of 0-9 and a-z, one for all messages of a life [POS-2]",
    async run({ broker }) {
      const results = await put(broker, channel("epoch"), "a", "b");
      const epochs = new Set(results.map((result) => result.position.epoch));
      assert.equal(epochs.size, 1);
      assert.match([...epochs][0] ?? "", /^[0-9a-z]{12}$/);
    },
  },
  {
    title: "keeps kind, id, key and bytes as they came",
    async run({ broker }) {
      const spec = channel("as-it-came");
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const sent = [
        message(' {"a": 1}\r\n', { kind: "json", id: "A-_9", key: "k" }),
        message("\ufeffGrüße\u0000", { key: "" }),
        message("", { kind: "binary", data: bytes }),
        message(""),
      ];
      const results = await put(broker, spec, ...sent);
      const { entries } = await page(broker, spec);
      assert.deepEqual(
        entries.map(plain),
        sent.map(({ kind, id, key, data }, index) => ({
          offset: index + 1,
          time: results[index]?.time,
          kind,
          id,
          key,
          data: [...data],
        })),
      );
    },
  },
  {
    title: "keeps large messages whole, beside small ones",
    async run({ broker }) {
      const spec = channel("large");
      const sizes = [65_536, 1, 4096, 4095, 0, 65_535];
      const sent = sizes.map((size, index) =>
        message("", { kind: "binary", data: new Uint8Array(size).fill(index + 1) }),
      );
      await put(broker, spec, ...sent);
      const { entries } = await page(broker, spec);
      assert.deepEqual(
        entries.map((entry) => [entry.data.byteLength, new Set(entry.data)]),
        sizes.map((size, index) => [size, new Set(size === 0 ? [] : [index + 1])]),
      );
    },
  },
  {
    title: "counts every channel by itself",
    async run({ broker }) {
      await put(broker, channel("one"), "a", "b");
      const other = await putOne(broker, channel("other"), "c");
      assert.equal(other.position.offset, 1);
      assert.deepEqual(texts((await page(broker, channel("one"))).entries), ["a", "b"]);
    },
  },
  {
    title: "never lets time go back within an epoch, whatever the clock does [MSG-7]",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("times", { retention: { count: 100, bytes: 1e6, age: 10 * HOUR } });
      const times = [];
      for (const step of [1000, -HOUR, 5, HOUR, -1, 0]) {
        await advance(step);
        times.push(broker.time(), (await putOne(broker, spec, "m")).time, broker.time());
      }
      const { entries } = await page(broker, spec);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      assert.deepEqual(
        entries.map((entry) => entry.time),
        times.filter((_, index) => index % 3 === 1),
      );
    },
  },
  {
    title: "stores a batch in its order and answers each message, also where there is none",
    async run({ broker }) {
      const spec = channel("batch");
      assert.deepEqual(await put(broker, spec), []);
      const results = await put(broker, spec, ...Array.from({ length: 300 }, (_, index) => `m${index + 1}`));
      assert.deepEqual(
        results.map((result) => result.position.offset),
        results.map((_, index) => index + 1),
      );
      const { entries } = await page(broker, spec);
      assert.ok(entries.every((entry) => decodeText(entry.data) === `m${entry.offset}`));
    },
  },
  {
    title: "stores nothing of a batch of which one message is refused, and tells nobody [PUB-14]",
    async run({ broker }) {
      const spec = channel("whole-or-not", { keep: "latest", maxKeys: 2 });
      const ear = await listen(broker, spec);
      await put(broker, spec, message("1", { key: "a" }));
      const batch = ["b", "a", "c"].map((key) => message(key, { key, id: `id-${key}` }));
      assert.deepEqual(await refusal(broker, spec, ...batch), { index: 2, code: "too-many-keys" });
      assert.deepEqual(texts((await page(broker, spec)).entries), ["1"]);
      const [again] = await put(broker, spec, message("b", { key: "b", id: "id-b" }));
      assert.deepEqual([again?.position.offset, again?.duplicate], [2, false]);
      await ear.until(2);
      assert.deepEqual(texts(ear.heard.map(({ entry }) => entry)), ["1", "b"]);
    },
  },
  {
    title: "reads at most as many messages, and as many bytes of data, as the page has room for",
    async run({ broker }) {
      const spec = channel("pages");
      await put(broker, spec, ...Array.from({ length: 10 }, () => "0123456789"));
      const byCount = await page(broker, spec, EARLIEST, { messages: 3, bytes: 1000 });
      assert.deepEqual([byCount.entries.length, byCount.remaining, byCount.head], [3, 10, 10]);
      const byBytes = await page(broker, spec, EARLIEST, { messages: 100, bytes: 45 });
      assert.ok(byBytes.entries.length >= 1 && byBytes.entries.length <= 4);
    },
  },
  {
    title: "reads one message where there is one, however large",
    async run({ broker }) {
      const spec = channel("large-page");
      await put(broker, spec, "x".repeat(5000), "y");
      const { entries } = await page(broker, spec, EARLIEST, { messages: 100, bytes: 10 });
      assert.deepEqual(
        entries.map((entry) => entry.offset),
        [1],
      );
    },
  },
  {
    title: "answers the start alone where no message is wanted",
    async run({ broker }) {
      const spec = channel("start-alone");
      const { position } = await putOne(broker, spec, "a");
      await put(broker, spec, "b", "c");
      const answer = await page(broker, spec, after(position.epoch, 1), { messages: 0, bytes: 1000 });
      assert.deepEqual(answer, {
        position,
        gap: undefined,
        entries: [],
        epoch: position.epoch,
        head: 3,
        remaining: 2,
      });
    },
  },
  {
    title: "gives the whole log, each message once, to whoever reads on from page to page",
    async run({ broker }) {
      const spec = channel("paging");
      const sent = Array.from({ length: 100 }, (_, index) => `message ${index}`);
      await put(broker, spec, ...sent);
      const read = [];
      let since = EARLIEST;
      for (;;) {
        const { entries, epoch, remaining } = await page(broker, spec, since, { messages: 7, bytes: 60 });
        if (entries.length === 0) break;
        assert.equal(remaining, sent.length - read.length);
        read.push(...entries);
        since = after(epoch, read.at(-1)?.offset ?? 0);
      }
      assert.deepEqual(texts(read), sent);
    },
  },
  {
    title: "makes no channel by reading or by asking for heads [KEEP-5]",
    async run({ broker }) {
      const spec = channel("nobody");
      const limit = { messages: 10, bytes: 1000 };
      for (const since of [EARLIEST, NOW, after("000000000000", 5)])
        assert.equal(await broker.read(spec, since, limit), undefined);
      assert.deepEqual(await broker.heads(["nobody"]), [undefined]);
    },
  },
  {
    title: "answers heads in the order asked, with the oldest message kept",
    async run({ broker }) {
      const short = { count: 2, bytes: 1e6, age: HOUR };
      const a = await putOne(broker, channel("heads/a"), "1");
      await put(broker, channel("heads/b", { retention: short }), "1", "2", "3");
      await put(broker, channel("heads/c", { keep: "nothing" }), "1", "2");
      await put(broker, channel("heads/d", { keep: "latest" }), "1", "2", deletion("k"));
      await broker.subscribe(channel("heads/e"), () => undefined);
      const names = ["heads/c", "heads/a", "none", "heads/b", "heads/d", "heads/e"];
      const heads = await broker.heads(names);
      assert.deepEqual(
        heads.map((head) => head && [head.position.offset, head.oldest]),
        [[2, 3], [1, 1], undefined, [3, 2], [3, 2], [0, 1]],
      );
      assert.deepEqual(heads[1]?.position, a.position);
    },
  },
];
