import assert from "node:assert/strict";
import type { Page } from "../../core/ports.ts";
import type { Entry } from "../../protocol/message.ts";
import {
  after,
  type BrokerTest,
  channel,
  EARLIEST,
  HOUR,
  listen,
  message,
  page,
  plain,
  put,
  putOne,
  SECOND,
  texts,
} from "./rig.ts";

/** Listeners, and the beginning and end of a channel's life. */
export const lifeTests: readonly BrokerTest[] = [
  {
    title: "follows a channel that nobody has published to, which begins it [KEEP-5]",
    async run({ broker }) {
      const spec = channel("follow/new");
      const { subscription } = await listen(broker, spec);
      assert.equal(subscription.head.offset, 0);
      const { position } = await putOne(broker, spec, "a");
      assert.deepEqual(position, { epoch: subscription.head.epoch, offset: 1 });
    },
  },
  {
    title: "gives a channel that nobody has published to the same position each time [KEEP-19]",
    async run({ broker, peer }) {
      const spec = channel("follow/blank");
      const first = await listen(broker, spec);
      first.subscription.close();
      const second = await listen(peer, spec);
      second.subscription.close();
      assert.deepEqual(second.subscription.head, first.subscription.head);
      const { position } = await putOne(broker, spec, "a");
      assert.deepEqual(position, { epoch: first.subscription.head.epoch, offset: 1 });
      const { gap, entries } = await page(broker, spec, after(position.epoch, 0));
      assert.deepEqual([gap, texts(entries)], [undefined, ["a"]]);
    },
  },
  {
    title:
      "begins a later epoch for a channel that was forgotten, also if nobody publishes to it [KEEP-19, POS-3]",
    needs: ["forget"],
    async run({ broker, forget }) {
      const spec = channel("follow/forgotten");
      const { position: old } = await putOne(broker, spec, "a");
      await forget(spec.name);
      const { subscription } = await listen(broker, spec);
      assert.ok(subscription.head.epoch > old.epoch);
      const { gap } = await page(broker, spec, after(old.epoch, 0));
      assert.equal(gap?.reason, "epoch");
    },
  },
  {
    title: "hands a listener every message after the head that it was told, as it is read",
    async run({ broker }) {
      const spec = channel("follow/after");
      await put(broker, spec, "a", "b");
      const ear = await listen(broker, spec);
      const { epoch } = ear.subscription.head;
      assert.equal(ear.subscription.head.offset, 2);
      await put(broker, spec, message("c", { id: "one", key: "k", kind: "binary" }));
      await put(broker, spec, "d", "e");
      await ear.until(3);
      assert.deepEqual(
        ear.heard.map((heard) => heard.epoch),
        [epoch, epoch, epoch],
      );
      const { entries } = await page(broker, spec, after(epoch, 2));
      assert.deepEqual(
        ear.heard.map(({ entry }) => plain(entry)),
        entries.map(plain),
      );
    },
  },
  {
    title: "hands all listeners of all servers the same order",
    async run({ broker, peer }) {
      const spec = channel("follow/order");
      const ears = [await listen(broker, spec), await listen(peer, spec), await listen(broker, spec)];
      for (let round = 0; round < 50; round++)
        await Promise.all([
          broker.append(spec, [message(`a${round}`)]),
          peer.append(spec, [message(`b${round}`), message(`c${round}`)]),
        ]);
      for (const ear of ears) {
        await ear.until(150);
        assert.deepEqual(
          ear.heard.map(({ entry }) => entry.offset),
          Array.from({ length: 150 }, (_, index) => index + 1),
        );
      }
      const orders = ears.map((ear) => texts(ear.heard.map(({ entry }) => entry)));
      assert.deepEqual(orders[1], orders[0]);
      assert.deepEqual(orders[2], orders[0]);
    },
  },
  {
    title: "leaves no hole and no double between what is read and what is heard",
    async run({ broker, peer }) {
      const spec = channel("follow/hole");
      const publishing = (async () => {
        for (let index = 0; index < 200; index++) await put(peer, spec, `m${index}`);
      })();
      await putOne(broker, channel("follow/other"), "time passes");
      const ear = await listen(broker, spec);
      const { epoch, offset } = ear.subscription.head;
      const { entries } = await page(broker, spec);
      await publishing;
      await ear.until(200 - offset);
      const read = entries.filter((entry) => entry.offset <= offset);
      const offsets = [...read, ...ear.heard.map(({ entry }) => entry)].map((entry) => entry.offset);
      assert.deepEqual(
        offsets,
        Array.from({ length: 200 }, (_, index) => index + 1),
      );
      assert.ok(ear.heard.every((heard) => heard.epoch === epoch));
    },
  },
  {
    title: "hands over nothing that is not stored yet [PUB-17]",
    async run({ broker }) {
      const spec = channel("follow/stored");
      const reads: unknown[] = [];
      await broker.subscribe(spec, () => reads.push(broker.read(spec, EARLIEST, { messages: 0, bytes: 0 })));
      const ear = await listen(broker, spec);
      await put(broker, spec, "a", "b");
      await ear.until(2);
      for (const read of reads) assert.equal(((await read) as Page).head, 2);
      assert.ok(reads.length > 0);
    },
  },
  {
    title: "hands a listener nothing of other channels",
    async run({ broker }) {
      const ear = await listen(broker, channel("follow/own"));
      await put(broker, channel("follow/own/deeper"), "other");
      await put(broker, channel("follow/own"), "own");
      await ear.until(1);
      assert.deepEqual(texts(ear.heard.map(({ entry }) => entry)), ["own"]);
    },
  },
  {
    title: "hands over a batch that is larger than what is kept as a whole",
    async run({ broker }) {
      const spec = channel("follow/larger", { retention: { count: 2, bytes: 1e6, age: HOUR } });
      const ear = await listen(broker, spec);
      await put(broker, spec, "a", "b", "c", "d");
      await ear.until(4);
      assert.deepEqual(texts(ear.heard.map(({ entry }) => entry)), ["a", "b", "c", "d"]);
      assert.deepEqual(texts((await page(broker, spec)).entries), ["c", "d"]);
    },
  },
  {
    title: "calls a listener no more once its subscription is closed, and goes on calling the others",
    async run({ broker }) {
      const spec = channel("follow/close");
      const calls: string[] = [];
      // The same function twice: each subscription is one of its own.
      const listener = (_epoch: string, entries: readonly Entry[]): void => {
        calls.push(...texts(entries).map(String));
      };
      const first = await broker.subscribe(spec, listener);
      await broker.subscribe(spec, listener);
      const last = await listen(broker, spec);
      await put(broker, spec, "a");
      await last.until(1);
      first.close();
      first.close();
      await put(broker, spec, "b");
      await last.until(2);
      assert.deepEqual(calls, ["a", "a", "b"]);
    },
  },
  {
    title: "tells listeners in the order of offsets when one of them publishes",
    async run({ broker }) {
      const spec = channel("follow/publish");
      let answered: unknown;
      await broker.subscribe(spec, (_epoch, entries) => {
        if (entries[0]?.offset === 1) answered = broker.append(spec, [message("answer")]);
      });
      const ear = await listen(broker, spec);
      await put(broker, spec, "question");
      await ear.until(2);
      await answered;
      assert.deepEqual(texts(ear.heard.map(({ entry }) => entry)), ["question", "answer"]);
    },
  },
  {
    title: "begins a later epoch when a log has lost its past, and tells old positions so [POS-5]",
    needs: ["forget"],
    async run({ broker, forget }) {
      const spec = channel("life/forget");
      const old = (await put(broker, spec, message("a", { id: "one" }), "b"))[1]?.position;
      assert.ok(old);
      await forget(spec.name);
      const fresh = await putOne(broker, spec, message("a", { id: "one" }));
      assert.deepEqual([fresh.position.offset, fresh.duplicate], [1, false]);
      assert.ok(fresh.position.epoch > old.epoch);
      const { gap, position } = await page(broker, spec, { at: "position", position: old });
      assert.deepEqual(gap, { from: old, to: position, reason: "epoch" });
      assert.deepEqual(position, { epoch: fresh.position.epoch, offset: 0 });
    },
  },
  {
    title: "goes on telling listeners in the later epoch",
    needs: ["forget"],
    async run({ broker, forget }) {
      const spec = channel("life/listeners");
      const ear = await listen(broker, spec);
      await put(broker, spec, "a", "b");
      await forget(spec.name);
      const { position } = await putOne(broker, spec, "c");
      await ear.until(3);
      const { epoch } = ear.subscription.head;
      assert.deepEqual(
        ear.heard.map((heard) => [heard.epoch, heard.entry.offset]),
        [
          [epoch, 1],
          [epoch, 2],
          [position.epoch, 1],
        ],
      );
    },
  },
  {
    title: "begins later epochs also while the clock stands still or goes back [POS-3]",
    needs: ["clock", "forget"],
    async run({ broker, advance, forget }) {
      const spec = channel("life/clock");
      const epochs = [];
      for (let life = 0; life < 100; life++) {
        epochs.push((await putOne(broker, spec, "a")).position.epoch);
        await forget(spec.name);
        await advance(life % 10 === 0 ? -SECOND : 0);
      }
      assert.deepEqual(epochs, epochs.toSorted());
      assert.equal(new Set(epochs).size, 100);
    },
  },
  {
    title: "remembers an idle channel for as long as it is told after its last message [KEEP-6]",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("life/idle", { idleAge: 5 * HOUR });
      const { position } = await putOne(broker, spec, "a");
      await advance(6 * HOUR - SECOND);
      const second = await putOne(broker, spec, "b");
      assert.deepEqual(second.position, { ...position, offset: 2 });
    },
  },
  {
    title: "keeps the life of a channel that is listened to, however quiet",
    needs: ["clock"],
    async run({ broker, advance }) {
      const spec = channel("life/quiet");
      const { subscription } = await listen(broker, spec);
      await advance(1000 * HOUR);
      const { position } = await putOne(broker, spec, "a");
      assert.deepEqual(position, { epoch: subscription.head.epoch, offset: 1 });
    },
  },
  {
    title: "refuses every call after close, and calls no listener",
    async run({ broker }) {
      const spec = channel("life/close");
      const ear = await listen(broker, spec);
      await broker.close();
      const calls = [
        async () => broker.append(spec, [message("a")]),
        async () => broker.read(spec, { at: "earliest" }, { messages: 1, bytes: 1 }),
        async () => broker.subscribe(spec, () => undefined),
        async () => broker.heads([spec.name]),
      ];
      for (const call of calls) await assert.rejects(call);
      await broker.close();
      ear.subscription.close();
      assert.equal(ear.heard.length, 0);
    },
  },
];
