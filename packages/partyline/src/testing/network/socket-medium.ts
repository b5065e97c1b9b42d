import type { ClientOptions } from "../../client/client-types.ts";
import { createClient } from "../../client/create-client.ts";
import { openLine } from "../network-line.ts";
import { systemClock } from "../../server.ts";
import type { Medium } from "./medium.ts";

/** How soon clients come back, ms: a test has no reason to wait as long as a page. */
const HASTE: ClientOptions = { baseDelay: 10, maxDelay: 200 };

/** Between two looks at whether all is settled, ms, and how many in a row must find it so. */
const LOOK = 2;
const LOOKS = 5;

/** How long that may take, ms. */
const PATIENCE = 10_000;

const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Real sockets on loopback, in real time. */
export const socketMedium: Medium = {
  listens: true,
  clock: systemClock,
  now: Date.now,
  random: Math.random,
  outside: (answer) => answer,
  async openLine(host) {
    const line = await openLine(host.port);
    let target = host;
    return {
      faults: line,
      get connections() {
        return line.connections;
      },
      get blocked() {
        return line.blocked || !target.running;
      },
      url: line.url,
      fetch,
      leadTo(other) {
        target = other;
        line.leadTo(other.port);
      },
      connect: (options, { through } = {}) =>
        createClient(line.url, { ...HASTE, ...through?.({ WebSocket, fetch }), ...options }),
      close: () => line.close(),
    };
  },
  async settled(open) {
    const until = performance.now() + PATIENCE;
    let found = 0;
    while (found < LOOKS) {
      const missing = await open();
      if (missing !== undefined && performance.now() > until)
        throw new Error(`Not settled within ${PATIENCE / 1_000} s: ${missing}.`);
      found = missing === undefined ? found + 1 : 0;
      await pass(LOOK);
    }
  },
  advance: pass,
  until: (answer) => answer,
};
