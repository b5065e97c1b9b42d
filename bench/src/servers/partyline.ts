/**
 * This library as it comes, but for two bounds: how long it waits for a reader that takes nothing, because a busy
 * machine takes its time, and how many commands a connection may send, where that is what is measured.
 */
import { createPartyline, type PartylineOptions } from "partyline";
import type { Asked, Filled } from "../load/order.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as PartylineOptions;
const server = createPartyline({
  ...options,
  limits: { slowReader: 600_000, ...options.limits },
  logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
});

/** Publishes from within, over the channels in turn. */
async function fill({ messages, channels, size, together }: Extract<Asked, { do: "fill" }>): Promise<Filled> {
  const text = "#".padEnd(size, "x");
  const before = process.cpuUsage();
  let position = "";
  for (let done = 0; done < messages; done += together) {
    const publishes = Array.from({ length: Math.min(together, messages - done) }, (_, index) =>
      server.channel(`r${(done + index) % channels}`).publish(text),
    );
    ({ position } = (await Promise.all(publishes)).at(-1) ?? { position });
    // What was published in one turn is sent together.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  return { position, cpu: user + system };
}

function memory(): NodeJS.MemoryUsage {
  // Twice: what the first one finalizes goes with the second.
  for (let round = 0; round < 2; round++) globalThis.gc?.();
  return process.memoryUsage();
}

process.on("message", (asked: Asked) => {
  if (asked.do === "exit") process.exit();
  if (asked.do === "memory") process.send?.(memory());
  else void fill(asked).then((filled) => process.send?.(filled));
});

const { port } = await server.listen(0);
process.send?.({ port });
