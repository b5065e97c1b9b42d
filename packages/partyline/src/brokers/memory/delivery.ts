import type { AppendListener } from "../../core/ports.ts";
import type { Entry } from "../../protocol/message.ts";
import type { Channel } from "./channel.ts";

/**
 * Calls the listeners. A listener that appends in its turn does not overtake: what it appends is handed on when all
 * have been told of what it answers.
 */
export function createDelivery(): (channel: Channel, entries: readonly Entry[]) => void {
  const waiting: (() => void)[] = [];
  let delivering = false;
  const tell = (listeners: readonly AppendListener[], epoch: string, entries: readonly Entry[]): void => {
    for (const listener of listeners) {
      try {
        listener(epoch, entries);
      } catch (error) {
        // The message is stored, so `append` must not throw, and the others must be told: it surfaces by itself.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  };
  return (channel, entries) => {
    const { listeners = [], epoch } = channel;
    if (delivering) {
      waiting.push(() => tell(listeners, epoch, entries));
      return;
    }
    delivering = true;
    tell(listeners, epoch, entries);
    for (let next = waiting.shift(); next; next = waiting.shift()) next();
    delivering = false;
  };
}
