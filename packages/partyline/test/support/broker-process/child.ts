/** Memory brokers in a process of their own, shared: pasts that outlive the servers. It ends with its parent. */
import { shareBroker, type SharedBroker } from "../../../src/brokers/machine/index.ts";
import { createMemoryBroker, type MemoryBroker } from "../../../src/brokers/memory/index.ts";
import type { Answer, Ask } from "./messages.ts";

/** A broker, and how far its clock is ahead of the machine's. */
interface Past {
  readonly broker: MemoryBroker;
  readonly shared: SharedBroker;
  ahead: number;
}

const pasts = new Map<string, Promise<Past>>();

async function begin(): Promise<Past> {
  const clock = { ahead: 0 };
  const broker = createMemoryBroker({ now: () => Date.now() + clock.ahead });
  return Object.assign(clock, { broker, shared: await shareBroker(broker) });
}

async function answer(ask: Ask): Promise<void> {
  const opening = pasts.get(ask.past) ?? begin();
  pasts.set(ask.past, opening);
  const past = await opening;
  if (ask.do === "advance") past.ahead += ask.milliseconds;
  if (ask.do === "forget") past.broker.forget(ask.channel);
  process.send?.({ n: ask.n, path: past.shared.path } satisfies Answer);
}

process.on("message", (ask: Ask) => void answer(ask));
process.on("disconnect", () => {
  void Promise.all([...pasts.values()].map(async (past) => (await past).shared.close())).then(() =>
    process.exit(),
  );
});
