import type { MaybePromise } from "../core/ports.ts";
import { playHistory } from "./broker/history.ts";
import { idTests } from "./broker/id-tests.ts";
import { keepTests } from "./broker/keep-tests.ts";
import { lifeTests } from "./broker/life-tests.ts";
import { orderTests } from "./broker/order-tests.ts";
import type { BrokerAbility, BrokerRig, BrokerTest, TestBroker } from "./broker/rig.ts";
import type { TestApi } from "./test-api.ts";

/** Calls `check` with many lists of whole numbers from 0, and fails where one call does. */
export type ForAll = (check: (steps: readonly number[]) => Promise<void>) => Promise<void>;

/** Which broker {@link brokerSuite} tests, and how. */
export interface BrokerSuiteOptions {
  readonly name: string;
  /** A broker of its own, with no channels, for one test. */
  readonly create: () => MaybePromise<TestBroker>;
  /** What can't be done to this broker from outside, with the reason: tests that need it are skipped by name. */
  readonly lacks?: Readonly<Partial<Record<BrokerAbility, string>>>;
  /**
   * Where the generated histories come from; with a property testing library, a failing one is made small.
   *
   * @default 100 histories of 60 steps from a fixed seed
   * @example
   * ```ts
   * forAll: (check) => fc.assert(fc.asyncProperty(fc.array(fc.maxSafeNat(), { maxLength: 80 }), check)),
   * ```
   */
  readonly forAll?: ForAll;
}

/**
 * Declares the tests of every promise of the `Broker` port. A broker that passes can carry partyline.
 *
 * @example
 * ```ts
 * import { describe, it } from "vitest";
 * import { brokerSuite } from "partyline/testing";
 *
 * brokerSuite({ describe, it }, {
 *   name: "mine",
 *   create: () => ({ broker: createMyBroker() }),
 *   lacks: { clock: "its store has a clock of its own", forget: "it can't be flushed by channel" },
 * });
 * ```
 */
export function brokerSuite({ describe, it }: TestApi, options: BrokerSuiteOptions): void {
  const { create, lacks = {}, forAll = fixedHistories } = options;

  const declare = ({ title, needs = [], run }: BrokerTest): void => {
    const missing = needs.flatMap((ability) => lacks[ability] ?? []);
    if (missing.length > 0) it.skip(`${title} (${missing.join("; ")})`);
    else it(title, () => withRig(create, run));
  };

  describe(`${options.name} broker`, () => {
    describe("order", () => orderTests.forEach(declare));
    describe("publish ids", () => idTests.forEach(declare));
    describe("what a channel keeps", () => keepTests.forEach(declare));
    describe("listeners and lives", () => lifeTests.forEach(declare));
    it("answers generated histories of publishing, reading, following and losing as the model does [POS-4]", () => {
      const can = { clock: lacks.clock === undefined, forget: lacks.forget === undefined };
      return forAll((steps) => withRig(create, (rig) => playHistory(rig, steps, can)));
    });
  });
}

async function withRig(
  create: BrokerSuiteOptions["create"],
  run: (rig: BrokerRig) => Promise<void>,
): Promise<void> {
  const made = await create();
  const { broker, peer = broker } = made;
  const missing = (method: string): Error =>
    new Error(`The broker under test has no ${method}(): add it, or say in \`lacks\` why it can't be.`);
  try {
    await run({
      broker,
      peer,
      async advance(milliseconds) {
        if (!made.advance) throw missing("advance");
        await made.advance(milliseconds);
      },
      async forget(name) {
        if (!made.forget) throw missing("forget");
        await made.forget(name);
      },
    });
  } finally {
    await broker.close();
    if (peer !== broker) await peer.close();
    await made.end?.();
  }
}

/** The same histories on every run. */
const fixedHistories: ForAll = async (check) => {
  let state = 20_261_123;
  // Park and Miller's minimal standard generator: its products stay within 2^53.
  const next = (): number => (state = (state * 48_271) % 2_147_483_647);
  for (let history = 0; history < 100; history++)
    await check(Array.from({ length: 60 }, () => next() * 2 ** 21 + (next() % 2 ** 21)));
};
