import { createMemoryBroker, type MemoryBroker } from "../../src/brokers/memory/index.ts";
import { createCounters, type Counters } from "../../src/core/counters.ts";
import { compileDefinitions } from "../../src/core/definitions.ts";
import { createEngine, type EngineOptions, type OwnedEngine } from "../../src/core/engine.ts";
import { OPEN_GRANTS, SERVER_GRANTS } from "../../src/core/grants.ts";
import type { Appended, AttachAnswer, Broker, Reader } from "../../src/core/ports.ts";
import { encodeText } from "../../src/protocol/message.ts";
import { parseSince } from "../../src/protocol/position.ts";
import { createReadingProbe, type ReadingProbe } from "../../src/testing/reading-probe.ts";
import { createVirtualClock, type VirtualClock } from "../../src/testing/virtual-clock.ts";

/** An engine on a virtual clock, over a memory broker that can be wrapped. */
export interface Harness {
  readonly clock: VirtualClock;
  readonly memory: MemoryBroker;
  readonly engine: OwnedEngine;
  readonly counters: Counters;
  readonly logged: string[];
  publish(channel: string, text: string, key?: string): Appended;
  /** Stores several messages in one step, as another node may; answers with the last one's place. */
  append(channel: string, texts: readonly string[]): Appended | undefined;
}

export function createHarness(
  options: Partial<EngineOptions> = {},
  wrap: (broker: MemoryBroker) => Broker = (broker) => broker,
): Harness {
  const clock = createVirtualClock(1_000_000);
  let seed = 1;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const memory = createMemoryBroker({ now: () => 1_790_000_000_000 + clock.now(), random });
  const counters = createCounters();
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  const definitions = compileDefinitions(options.channels, options.retention);
  const engine = createEngine({
    broker: wrap(memory),
    clock,
    metrics: counters,
    logger: { info: log, warn: log, error: log },
    ...options,
  });
  return {
    clock,
    memory,
    engine,
    counters,
    logged,
    publish(channel, text, key) {
      const appended = engine.publish({ channel, kind: "auto", data: encodeText(text), key }, SERVER_GRANTS);
      if (appended instanceof Promise)
        throw new Error("This harness publishes to a broker that answers at once.");
      return appended;
    },
    append(channel, texts) {
      const outcome = memory.append(
        definitions.find(channel).spec(channel),
        texts.map((text) => ({
          kind: "text",
          data: encodeText(text),
          id: undefined,
          at: undefined,
          key: undefined,
        })),
      );
      if (outcome.is !== "stored") throw outcome.error;
      return outcome.results.at(-1);
    },
  };
}

/** A connection without a network. */
export function open(harness: Harness): { probe: ReadingProbe; reader: Reader } {
  const probe = createReadingProbe();
  return { probe, reader: harness.engine.open(probe, OPEN_GRANTS) };
}

/** Attaches as transports do: the answer is there, then the messages may come. */
export function attach(reader: Reader, channel: string, since?: string): AttachAnswer {
  const answer = reader.attach(channel, parseSince(since));
  if (answer instanceof Promise) throw new Error("This broker answers at once.");
  reader.start(channel);
  return answer;
}

/** Lets promises that are settled already run their course. */
export async function settle(): Promise<void> {
  for (let tick = 0; tick < 12; tick++) await Promise.resolve();
}
