import type { Broker } from "../../src/core/ports.ts";

/**
 * A broker that is some way off: what it is asked arrives after the time that it travels, and the answer, and what
 * listeners are told, after as much again, all in the order in which it left.
 */
export function createFarBroker(near: Broker, travel: () => Promise<void>): Broker {
  const ask = async <T>(act: () => T): Promise<Awaited<T>> => {
    await travel();
    try {
      return await act();
    } finally {
      await travel();
    }
  };
  return {
    capabilities: { ...near.capabilities, name: "far", shared: true },
    append: (...args) => ask(() => near.append(...args)),
    read: (...args) => ask(() => near.read(...args)),
    subscribe(spec, listener) {
      return ask(() =>
        near.subscribe(spec, (epoch, entries) => {
          void travel().then(() => listener(epoch, entries));
        }),
      );
    },
    heads: (names) => ask(() => near.heads(names)),
    time: () => near.time(),
    close: () => near.close(),
  };
}
