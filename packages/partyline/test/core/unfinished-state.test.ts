/** A reader of a `latest` channel that attaches again before it has the whole state, as each long poll does. */
import { expect, it } from "vitest";
import { OPEN_GRANTS } from "../../src/core/grants.ts";
import { createReadingProbe } from "../../src/testing/reading-probe.ts";
import { createHarness } from "./harness.ts";

it("attached tells when the state began, and attach goes on with it below a forgotten deletion [KEEP-20]", () => {
  const harness = createHarness({ channels: { prices: { keep: "latest", retention: { age: 1_000 } } } });
  const { epoch } = harness.publish("prices", "1", "a").position;
  harness.publish("prices", "2", "b");
  void harness.engine.remove("prices", "b", OPEN_GRANTS);
  harness.publish("prices", "4", "c");
  harness.clock.advance(5_000);
  const probe = createReadingProbe();
  const welcome = { grants: OPEN_GRANTS, wait: undefined, quiet: undefined };
  const conversation = harness.engine.converse(probe, { mode: "channels", welcome });
  probe.replies.length = 0;
  const attach = (n: number, more: object): unknown[] => {
    const frame = { t: "attach", n, channel: "prices", since: `${epoch}:1`, ...more };
    conversation.receive(JSON.stringify(frame));
    return probe.replies.splice(0).map((reply) => {
      if (reply.t === "error") return reply.code;
      return reply.t === "attached" && { gap: reply.gap?.to, began: reply.began };
    });
  };
  const began = `${epoch}:4`;

  expect(attach(1, {})).toEqual([{ gap: `${epoch}:0`, began }]);
  expect(probe.takeLog()).toEqual(["1:1", "4:4"]);
  expect(attach(2, { began })).toEqual([{ gap: undefined, began }]);
  expect(probe.takeLog()).toEqual(["4:4"]);
  expect(attach(3, { began, since: `${epoch}:4` })).toEqual([{ gap: undefined, began: undefined }]);
  expect(attach(4, { began: "0mhlk2v9q7xa:4" })).toEqual([{ gap: `${epoch}:0`, began }]);
  expect(attach(5, { began: "4" })).toEqual(["bad-position"]);
});
