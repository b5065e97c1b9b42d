/** Memory brokers of one process, shared: pasts that outlive the servers. It ends at a SIGTERM, or with its parent. */
import { shareBroker, type SharedBroker } from "../../../src/brokers/machine/index.ts";
import { createMemoryBroker, type MemoryBroker } from "../../../src/brokers/memory/index.ts";
import type { Ask } from "./messages.ts";

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
  process.send?.(past.shared.path);
}

let answered = Promise.resolve();
process.on("message", (ask: Ask) => void (answered = answered.then(() => answer(ask))));

async function end(): Promise<void> {
  for (const past of pasts.values()) await (await past).shared.close();
  process.exit();
}

process.once("SIGTERM", () => void end());
process.once("disconnect", () => void end());
