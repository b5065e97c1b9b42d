import { describe, expect, it } from "vitest";
import { createOutboxRig as rig, refusal, type Sent, stored } from "../testing/outbox-rig.ts";
import type { Unsettled } from "./outbox.ts";

describe("the outbox", () => {
  it("sends what waits on the first connection, in order", () => {
    const box = rig();
    box.publish("a");
    box.publish("b");
    expect(box.take()).toEqual([]);
    box.connect();
    expect(box.take()).toEqual(["a", "b"]);
  });

  it("sends all unsettled publishes again on a new connection, oldest first, before newer ones [PUB-9]", () => {
    const box = rig();
    box.connect();
    for (const id of ["a", "b", "c"]) box.publish(id);
    box.answer(1, stored(2));
    box.outbox.disconnected();
    box.publish("d");
    box.take();
    box.connect();
    expect(box.take()).toEqual(["a", "c", "d"]);
  });

  it("publishes nothing on a connection that another has taken over from [PUB-10]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.connect();
    box.publish("b");
    expect(box.sent.map(({ publish, connection }) => [publish.id, connection])).toEqual([
      ["a", 1],
      ["a", 2],
      ["b", 2],
    ]);
  });

  it("settles by a late answer of an older connection [PUB-10]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.connect();
    box.answer(0, stored(1));
    expect(box.outcomes.get("a")).toEqual(stored(1));
  });

  it("rejects what is refused for good and sends the rest again, the oldest marked first [PUB-11, ERR-3]", () => {
    const box = rig();
    box.connect();
    for (const id of ["a", "b", "c"]) box.publish(id);
    box.answer(0, refusal("invalid"));
    expect(box.outcomes.get("a")).toMatchObject({ code: "invalid" });
    expect(box.sent.slice(3).map(({ publish, first }) => [publish.id, first])).toEqual([
      ["b", true],
      ["c", false],
    ]);
  });

  it("marks the next publish first where nothing else was left to send again [PUB-11]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.answer(0, refusal("invalid"));
    box.take();
    box.publish("b");
    expect(box.take()).toEqual(["b!"]);
  });

  it("keeps what is refused with hope, and sends it again first after the backoff [PUB-11]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.publish("b");
    box.answer(0, refusal("rate-limited"));
    box.answer(1, refusal("again"));
    box.publish("c");
    box.take();
    box.endBackoff();
    expect(box.take()).toEqual(["a!", "b", "c"]);
  });

  it("does not send again for the answer to an attempt that is not the newest [PUB-12]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.connect();
    box.take();
    box.outbox.answered(box.outbox.unsettled[0] as Unsettled, 1, refusal("rate-limited"));
    box.endBackoff();
    expect(box.take()).toEqual([]);
  });

  it("says uncertain, with the refusal as cause, where an earlier connection may have stored it [PUB-20]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.outbox.disconnected();
    box.connect();
    box.answer(1, refusal("invalid"));
    expect(box.outcomes.get("a")).toMatchObject({ code: "uncertain", cause: { code: "invalid" } });
  });

  it("says uncertain where the repeat of what was uncertain is refused [PUB-20]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.answer(0, refusal("uncertain"));
    box.endBackoff();
    box.answer(1, refusal("forbidden"));
    expect(box.outcomes.get("a")).toMatchObject({ code: "uncertain", cause: { code: "forbidden" } });
  });

  it("says uncertain also where that repeat was on its way behind another one that was refused [PUB-20]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.publish("b");
    box.answer(0, refusal("uncertain"));
    box.answer(1, refusal("uncertain"));
    box.endBackoff();
    box.answer(2, stored(1));
    box.answer(3, refusal("forbidden"));
    expect(box.outcomes.get("b")).toMatchObject({ code: "uncertain" });
  });

  it("repeats what is uncertain under its id, and tells it after the third time", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    for (let attempt = 0; attempt < 4; attempt++) {
      expect(box.outcomes.has("a")).toBe(false);
      box.answer(attempt, refusal("uncertain"));
      box.endBackoff();
    }
    expect(box.outcomes.get("a")).toMatchObject({ code: "uncertain" });
  });

  it("replaces a value that never left by a newer one of its key [KEEP-15]", () => {
    const box = rig("latest");
    box.publish("a1", "a");
    box.publish("b1", "b");
    box.publish("a2", "a");
    box.connect();
    expect(box.take()).toEqual(["b1", "a2"]);
    expect(box.outcomes.has("a1")).toBe(true);
    expect(box.outcomes.get("a1")).toBeUndefined();
  });

  it("does not replace a value that was sent, or a late connection could store it behind the newer one", () => {
    const box = rig("latest");
    box.connect();
    box.publish("a1", "a");
    box.outbox.disconnected();
    box.publish("a2", "a");
    box.take();
    box.connect();
    expect(box.take()).toEqual(["a1", "a2"]);
  });

  it("drops what an ephemeral channel had under way when the connection is lost [KEEP-14]", () => {
    const box = rig("nothing");
    box.connect();
    box.publish("a");
    box.take();
    box.outbox.disconnected();
    box.connect();
    expect(box.take()).toEqual([]);
    expect(box.outcomes.get("a")).toMatchObject({ code: "offline" });
  });

  describe("gives up what is unsettled when its time is over", () => {
    it("and says expired where it never left [PUB-20]", () => {
      const box = rig();
      box.publish("a", "", 10);
      box.publish("b");
      box.wait(10);
      expect(box.outcomes.get("a")).toMatchObject({ code: "expired" });
      box.connect();
      expect(box.take()).toEqual(["b"]);
    });

    it("and says expired where it was refused and waits to be sent again [PUB-20]", () => {
      const box = rig();
      box.connect();
      box.publish("a", "", 10);
      box.answer(0, refusal("rate-limited"));
      box.wait(10);
      expect(box.outcomes.get("a")).toMatchObject({ code: "expired" });
    });

    it("and says expired where it was to leave with the next request and has not [PUB-20]", () => {
      const box = rig("history", undefined, false);
      box.connect();
      box.publish("a", "", 10);
      box.wait(10);
      expect(box.outcomes.get("a")).toMatchObject({ code: "expired" });
      expect(box.leave(box.sent[0] as Sent)).toBe(false);
    });

    it("and says uncertain where it left and the answer has not come [PUB-20]", () => {
      const box = rig();
      box.connect();
      box.publish("a", "", 10);
      box.wait(10);
      expect(box.outcomes.get("a")).toMatchObject({ code: "uncertain", cause: { code: "expired" } });
    });

    it("and says uncertain where an attempt on an earlier connection has no answer [PUB-20]", () => {
      const box = rig();
      box.connect();
      box.publish("a", "", 10);
      box.outbox.disconnected();
      box.connect();
      box.answer(1, refusal("rate-limited"));
      box.wait(10);
      expect(box.outcomes.get("a")).toMatchObject({ code: "uncertain" });
    });

    it("before it would be sent, where it was over during a sleep", () => {
      const box = rig();
      box.publish("a", "", 10);
      box.publish("b");
      box.wait(10, true);
      box.connect();
      expect(box.take()).toEqual(["b"]);
      expect(box.outcomes.get("a")).toMatchObject({ code: "expired" });
    });

    it("and sends what waited for its place", () => {
      const box = rig("history", 1);
      box.connect();
      box.publish("a", "", 10);
      box.publish("b");
      box.wait(10);
      expect(box.take()).toEqual(["a", "b"]);
    });
  });

  it("has at most 512 attempts under way", () => {
    const box = rig();
    box.connect();
    for (let index = 0; index < 600; index++) box.publish(`p${index}`);
    expect(box.sent).toHaveLength(512);
    box.answer(0, stored(1));
    expect(box.sent).toHaveLength(513);
  });
});
