/** Following a state over a real server, against generated delays, losses and overruns. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import { createClient } from "../src/client/index.ts";
import { follow, type FollowOptions, type FollowState } from "../src/client/follow/index.ts";
import { createPartyline } from "../src/server.ts";
import { openLine } from "../src/testing/network-line.ts";
import { silent } from "./support/line-rig.ts";

const RUNS = 500;
const AT_ONCE = 20;
/** Few, so that who is away for a moment may find them gone. */
const RETENTION = 5;

type Step =
  | { readonly do: "cut" | "unplug" | "mend" | "forget" }
  | { readonly do: "publish"; readonly count: number }
  | { readonly do: "wait"; readonly turns: number };

interface Run {
  readonly by: "method" | "function";
  /**
   * `exact`: a message is published, then stored together with its position; it may be applied once only. `early`: it
   * is stored, then published, and the snapshot's position is read first; applying it twice changes nothing.
   */
  readonly data: "exact" | "early";
  /** Does the first snapshot come with the page? */
  readonly initial: boolean;
  /** Does somebody else in the page read the channel? */
  readonly company: boolean;
  readonly heldMessages: number;
  readonly steps: readonly Step[];
  /** Turns of the event loop: before the position is read, before and after the data is, and on the way back. */
  readonly loads: readonly { readonly delays: readonly [number, number, number]; readonly fails: boolean }[];
  /** Turns between storing and publishing. */
  readonly gapBetween: number;
}

const turns = fc.integer({ min: 0, max: 15 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("publish" as const),
        count: fc.integer({ min: 1, max: RETENTION + 3 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), turns }) },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Step[]>(
        { do: "cut" },
        { do: "unplug" },
        { do: "mend" },
        { do: "mend" },
        { do: "forget" },
      ),
    },
  ),
  { minLength: 4, maxLength: 25, size: "max" },
);
const runs = fc.record<Run>({
  by: fc.constantFrom("method", "function"),
  data: fc.constantFrom("exact", "early"),
  initial: fc.boolean(),
  company: fc.boolean(),
  heldMessages: fc.constantFrom(2, 1000),
  steps,
  loads: fc.array(
    fc.record({ delays: fc.tuple(turns, turns, turns), fails: fc.constantFrom(false, false, true) }),
    { maxLength: 8 },
  ),
  gapBetween: fc.constantFrom(0, 0, 2, 8),
});

/** A table of the application, and the position of its newest row. */
interface Data {
  readonly numbers: readonly number[];
  readonly position?: string;
}

const passing = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

it("ends in the server's state over 500 generated runs of delays, cuts, overruns and lost pasts", async () => {
  const broker = createMemoryBroker();
  await using server = createPartyline({ broker, logger: silent, retention: { count: RETENTION } });
  const { port } = await server.listen(0);
  const met = { loads: 0, failures: 0, live: 0, retention: 0, epoch: 0 };

  const play = async (run: Run, name: string): Promise<void> => {
    await using line = await openLine(port);
    await using client = createClient(`http://127.0.0.1:${line.port}`, { baseDelay: 1, maxDelay: 5 });
    const channel = server.channel<number>(name);
    let data: Data = { numbers: [] };
    let last = 0;
    let load = 0;

    const read = async (after: number): ReturnType<typeof channel.snapshot<Data>> =>
      channel.snapshot(
        async () => {
          await passing(after);
          const rows = data;
          await passing(after);
          return rows;
        },
        run.data === "exact" ? ({ position }) => position : undefined,
      );
    const publish = async (): Promise<void> => {
      const number = ++last;
      if (run.data === "early") {
        data = { numbers: [...data.numbers, number] };
        await passing(run.gapBetween);
        await channel.publish(number);
      } else {
        const { position } = await channel.publish(number);
        data = { numbers: [...data.numbers, number], position };
      }
    };

    client.channel(name).on("gap", ({ reason }) => met[reason as "epoch" | "retention"]++);
    if (run.company) client.channel(name).on("message", () => undefined);
    const options: FollowOptions<number, Data> = {
      async snapshot() {
        met.loads++;
        const { delays, fails } = run.loads[load++] ?? { delays: [0, 0, 0], fails: false };
        await passing(delays[0]);
        if (fails) throw new Error("Not now.");
        const answer = await read(delays[1]);
        await passing(delays[2]);
        return answer;
      },
      reduce: ({ numbers }, { data: number }) => ({
        numbers: run.data === "early" && numbers.includes(number) ? numbers : [...numbers, number],
      }),
      ...(run.initial ? { initial: await read(0) } : {}),
      baseDelay: 1,
      maxDelay: 5,
      heldMessages: run.heldMessages,
    };
    await using follower =
      run.by === "method"
        ? await client.channel<number>(name).follow(options)
        : follow(client, name, options);
    follower.on("change", ({ status }) => {
      if (status === "error") met.failures++;
      if (status === "live") met.live++;
    });

    for (const step of run.steps) {
      switch (step.do) {
        case "publish":
          for (let count = 0; count < step.count; count++) await publish();
          break;
        case "wait":
          await passing(step.turns);
          break;
        case "forget":
          broker.forget(name);
          break;
        case "cut":
        case "unplug":
        case "mend":
          line[step.do]();
      }
    }
    line.mend();
    await publish();
    const head = await channel.position();
    const { state } = await new Promise<FollowState<Data>>((resolve) => {
      const look = (current: FollowState<Data>): void => {
        if (current.status === "live" && current.position === head) resolve(current);
      };
      follower.on("change", look);
      look(follower.current);
    });
    const [got, wanted] = [state?.numbers ?? [], data.numbers];
    // Where a message may be in the state before it comes, its place among the others is that of the data.
    expect(run.data === "exact" ? got : [...got].sort((one, other) => one - other)).toEqual(wanted);
  };

  const left = fc.sample(runs, { numRuns: RUNS, seed: 4 }).entries();
  const worker = async (): Promise<void> => {
    for (const [index, run] of left) {
      try {
        await play(run, `board/${index}`);
      } catch (cause) {
        throw new Error(`Run ${index}: ${fc.stringify(run)}`, { cause });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  // The runs must be hard enough to prove anything.
  for (const count of Object.values(met)) expect(count).toBeGreaterThan(100);
}, 60_000);
