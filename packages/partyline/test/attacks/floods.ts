import type { Attack } from "./attack.ts";
import { survive } from "./survive.ts";

/** Duration of each flood in milliseconds. */
const DURATION = Number(process.env["FLOOD"] ?? 500);

/** Lets one connection send as fast as the server takes it. */
export async function surviveFlood({ settings = {}, bounds, run }: Attack): Promise<void> {
  await survive(
    settings,
    (attacker) => {
      const end = performance.now() + DURATION;
      return run(attacker, () => performance.now() < end);
    },
    bounds,
  );
}
