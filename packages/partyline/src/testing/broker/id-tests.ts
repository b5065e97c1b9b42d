import assert from "node:assert/strict";
import type { Broker, ChannelSpec } from "../../core/ports.ts";
import type { Keep } from "../../protocol/message.ts";
import {
  type BrokerTest,
  channel,
  HOUR,
  listen,
  message,
  MINUTE,
  page,
  put,
  putOne,
  refusal,
  SECOND,
  texts,
} from "./rig.ts";

/** The window is 10 minutes and 100 000 ids. */
const IDS = 100_000;

async function putIds(broker: Broker, spec: ChannelSpec, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += 5000) {
    const batch = Array.from({ length: Math.min(5000, to - start) }, (_, index) =>
      message("m", { id: `id-${start + index}` }),
    );
    await put(broker, spec, ...batch);
  }
}

const onceOf = (keep: Keep): BrokerTest => ({
  title: `stores an id once in a channel that keeps ${keep}, and gives the repeat the same position [PUB-1]`,
  async run({ broker }) {
    const spec = channel(`once/${keep}`, { keep });
    const ear = await listen(broker, spec);
    const sent = message("a", { id: "one", at: broker.time() });
    const first = await putOne(broker, spec, sent);
    await put(broker, spec, "b");
    const repeat = await putOne(broker, spec, sent);
    assert.deepEqual(repeat, { ...first, duplicate: true });
    assert.equal(first.duplicate, false);
    const { position } = await putOne(broker, spec, "c");
    assert.equal(position.offset, 3);
    await ear.until(3);
    assert.deepEqual(texts(ear.heard.map(({ entry }) => entry)), ["a", "b", "c"]);
  },
});

/** Publish ids: once, other bytes, the window. */
export const idTests: readonly BrokerTest[] = [
  onceOf("history"),
  onceOf("latest"),
  onceOf("nothing"),
  {
    title: "stores an id once also where both come in one batch",
    async run({ broker }) {
      const spec = channel("ids/batch");
      const sent = message("a", { id: "one" });
      const results = await put(broker, spec, sent, "b", sent, "c");
      assert.deepEqual(
        results.map((result) => [result.position.offset, result.duplicate]),
        [
          [1, false],
          [2, false],
          [1, true],
          [3, false],
        ],
      );
      assert.deepEqual(texts((await page(broker, spec)).entries), ["a", "b", "c"]);
    },
  },
  {
    title: "knows ids by channel",
    async run({ broker }) {
      const sent = message("a", { id: "one" });
      await put(broker, channel("ids/x"), sent);
      assert.equal((await putOne(broker, channel("ids/y"), sent)).duplicate, false);
    },
  },
  {
    title: "refuses an id under which other bytes, another kind or another key came [PUB-2]",
    async run({ broker }) {
      const spec = channel("ids/reused");
      await put(broker, spec, message("a", { id: "one", key: "k" }));
      const others = [
        message("b", { id: "one", key: "k" }),
        message("aa", { id: "one", key: "k" }),
        message("a", { id: "one", key: "l" }),
        message("a", { id: "one" }),
        message("a", { id: "one", key: "k", kind: "binary" }),
      ];
      for (const other of others)
        assert.deepEqual(await refusal(broker, spec, message("before"), other), {
          index: 1,
          code: "id-reused",
        });
      const both = [message("c", { id: "two" }), message("d", { id: "two" })];
      assert.deepEqual(await refusal(broker, spec, ...both), { index: 1, code: "id-reused" });
      assert.deepEqual(texts((await page(broker, spec)).entries), ["a"]);
    },
  },
  {
    title: "knows an id, and its bytes, when the message itself is gone",
    async run({ broker }) {
      const spec = channel("ids/gone", { retention: { count: 1, bytes: 1e6, age: HOUR } });
      const first = await putOne(broker, spec, message("a", { id: "one" }));
      await put(broker, spec, "b");
      assert.deepEqual(await putOne(broker, spec, message("a", { id: "one" })), {
        ...first,
        duplicate: true,
      });
      const other = message("b", { id: "one" });
      assert.deepEqual(await refusal(broker, spec, other), { index: 0, code: "id-reused" });
    },
  },
  {
    title: "knows an id for 10 minutes, also of publishes that do not say when they began [PUB-1, PUB-6]",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("ids/minutes");
      await put(broker, spec, message("a", { id: "one" }));
      await advance(10 * MINUTE - SECOND);
      assert.equal((await putOne(broker, spec, message("a", { id: "one" }))).duplicate, true);
      await advance(2 * SECOND);
      assert.equal((await putOne(broker, spec, message("b", { id: "one" }))).duplicate, false);
    },
  },
  {
    title: "calls a publish uncertain that began no later than an id it has forgotten [PUB-5]",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("ids/uncertain");
      const began = broker.time();
      const { time } = await putOne(broker, spec, message("a", { id: "one", at: began }));
      await advance(11 * MINUTE);
      for (const at of [began, time])
        for (const id of ["one", "never-seen"])
          assert.deepEqual(await refusal(broker, spec, message("a", { id, at })), {
            index: 0,
            code: "uncertain",
          });
      assert.deepEqual(texts((await page(broker, spec)).entries), ["a"]);
      const late = await putOne(broker, spec, message("a", { id: "one", at: time + 1 }));
      assert.deepEqual([late.position.offset, late.duplicate], [2, false]);
      assert.equal((await putOne(broker, spec, message("b", { id: "two" }))).duplicate, false);
    },
  },
  {
    title: "calls a repeat uncertain whose publisher was ahead of the broker when the id was stored [PUB-22]",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("ids/ahead");
      const ahead = message("a", { id: "one", at: broker.time() + 2 * SECOND });
      await putOne(broker, spec, ahead);
      await advance(11 * MINUTE);
      assert.deepEqual(await refusal(broker, spec, ahead), { index: 0, code: "uncertain" });
      assert.deepEqual(texts((await page(broker, spec)).entries), ["a"]);
    },
  },
  {
    title:
      "calls a repeat uncertain of which the broker's clock says that it began after it was stored [PUB-22]",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("ids/set-back");
      const at = broker.time() + 30 * SECOND;
      await putOne(broker, spec, message("a", { id: "one", at }));
      await putOne(broker, spec, message("b", { id: "two", at: broker.time() }));
      await advance(11 * MINUTE);
      for (const id of ["one", "two"])
        assert.deepEqual(await refusal(broker, spec, message("a", { id, at })), {
          index: 0,
          code: "uncertain",
        });
    },
  },
  {
    title:
      "takes a publish that is 60 s ahead, and refuses one that is further until its time comes [PUB-23]",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("ids/future");
      const at = broker.time() + 2 * MINUTE;
      assert.deepEqual(await refusal(broker, spec, message("a", { id: "one", at })), {
        index: 0,
        code: "overloaded",
      });
      await advance(MINUTE + SECOND);
      assert.equal((await putOne(broker, spec, message("a", { id: "one", at }))).duplicate, false);
    },
  },
  {
    title: "stores an old publish where no id was forgotten since it began",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("ids/old");
      const at = broker.time();
      await put(broker, spec, "without an id");
      await advance(30 * MINUTE);
      assert.equal((await putOne(broker, spec, message("a", { id: "one", at }))).duplicate, false);
    },
  },
  {
    title: "knows 100 000 ids of a channel, and calls older publishes uncertain [PUB-1]",
    async run({ broker }) {
      const spec = channel("ids/many", { keep: "nothing" });
      const first = await putOne(broker, spec, message("m", { id: "id-0" }));
      await putIds(broker, spec, 1, IDS);
      assert.equal((await putOne(broker, spec, message("m", { id: "id-0" }))).duplicate, true);
      await putIds(broker, spec, IDS, IDS + 1);
      const again = message("m", { id: "id-0", at: first.time });
      assert.deepEqual(await refusal(broker, spec, again), { index: 0, code: "uncertain" });
      assert.equal((await putOne(broker, spec, message("m", { id: `id-${IDS}` }))).duplicate, true);
    },
  },
];
