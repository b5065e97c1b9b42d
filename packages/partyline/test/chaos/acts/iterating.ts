import { Readable } from "node:stream";
import type { Message } from "../../../src/client/index.ts";
import type { IteratorEnd } from "../history.ts";
import { count } from "../tally.ts";
import type { Acts, Stage } from "./stage.ts";

/** Readers by iterators that end in some way before their channel does. */
export interface Iterating {
  readonly acts: Pick<Acts, "iterate">;
  /** Ends those that wait for more messages. */
  readonly hurry: () => void;
  /** Iterators that were ended and have not settled, each with a sentence for the report. */
  readonly unsettled: ReadonlyMap<object, string>;
}

/** An iterator that takes messages. */
interface Run {
  /** Resolves when it has taken enough, or is over. */
  readonly taken: Promise<unknown>;
  /** Ends it; resolves when that is done. Absent: it ends by itself, or never. */
  readonly end?: () => Promise<unknown>;
}

type Messages = AsyncIterableIterator<Message, void>;
type Way = (messages: Messages, after: number) => Run;

class Ended extends Error {}

async function take(messages: Messages, count: number): Promise<void> {
  for (let left = count; left > 0; left--) if ((await messages.next()).done) return;
}

async function leaveLoop(messages: Messages, after: number): Promise<void> {
  let left = after;
  for await (const _ of messages) if (--left < 0) break;
}

const expectEnded = (error: unknown): void => {
  if (!(error instanceof Ended)) throw error;
};
const ignore = (): void => undefined;

export function createIterating({ oracle, tally, channel }: Stage): Iterating {
  const unsettled = new Map<object, string>();
  const waiting = new Set<() => void>();

  const ways: Readonly<Record<IteratorEnd, Way>> = {
    return: (messages, after) => ({
      taken: take(messages, after),
      end: async () => messages.return?.(),
    }),
    throw: (messages, after) => ({
      taken: take(messages, after),
      end: async () => messages.throw?.(new Ended()).catch(expectEnded),
    }),
    // A loop can only be left when a message comes: until then it is a reader like others.
    break: (messages, after) => ({ taken: leaveLoop(messages, after) }),
    destroy(messages, after) {
      const stream = Readable.from(messages).on("error", ignore);
      const closed = new Promise<void>((resolve) => stream.on("close", resolve));
      let left = after;
      const taken = new Promise<void>((resolve) => {
        stream.on("data", () => {
          if (--left < 0) resolve();
        });
      });
      return {
        taken: Promise.race([taken, closed]),
        end() {
          stream.destroy(new Ended());
          return closed;
        },
      };
    },
    // It takes some messages, and never another one.
    abandon: (messages, after) => ({ taken: take(messages, after) }),
  };

  return {
    unsettled,
    hurry() {
      for (const end of waiting) end();
    },
    acts: {
      iterate({ client, channel: name, ends, after }) {
        const over = channel(client, name);
        if (!over) return false;
        count(tally, `iterator: ${ends}`);
        const reader = `client-${client}, by an iterator with ${ends}`;
        // The oracle would want an abandoned iterator at the head.
        const messages = ends === "abandon" ? over.messages() : oracle.messages(over, reader);
        const { taken, end } = ways[ends](messages, after);
        if (!end) {
          taken.catch(ignore);
          return true;
        }
        const key = {};
        const finish = (): void => {
          if (!waiting.delete(finish)) return;
          unsettled.set(key, `${reader} was ended, and neither that nor what it waits for has settled.`);
          void Promise.allSettled([taken, end()]).then(() => unsettled.delete(key));
        };
        waiting.add(finish);
        taken.then(finish, finish);
        return true;
      },
    },
  };
}
