import fc from "fast-check";
import { describe, it } from "vitest";
import { brokerSuite } from "../../testing/broker-suite.ts";
import { createMemoryBroker } from "./memory-broker.ts";

brokerSuite(
  { describe, it },
  {
    name: "memory",
    create() {
      let clock = Date.UTC(2026, 10, 23);
      const broker = createMemoryBroker({ now: () => clock });
      return {
        broker,
        advance: (milliseconds) => void (clock += milliseconds),
        forget: (name) => broker.forget(name),
      };
    },
    forAll: (check) =>
      fc.assert(fc.asyncProperty(fc.array(fc.maxSafeNat(), { maxLength: 80, size: "max" }), check), {
        numRuns: 300,
      }),
  },
);
