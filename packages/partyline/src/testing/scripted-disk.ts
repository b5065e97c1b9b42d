import type { LoadRequest, OutboxStore, StoredPublish } from "../client/indexed-db/index.ts";

/** What several pages, one after the other or at once, keep their publishes on. */
export interface ScriptedDisk {
  /** What is there now, by queue and order. */
  readonly records: readonly StoredPublish[];
  /** `held`: what is asked waits until it is `ok` again; `broken`: all of it fails. */
  mode: "ok" | "held" | "broken";
  /** The store of one more page; `end` as the end of that page does. */
  page(): OutboxStore & { end(): void };
}

/** Makes a {@link ScriptedDisk}. */
export function createScriptedDisk(): ScriptedDisk {
  const records = new Map<string, StoredPublish>();
  const owners = new Map<string, object>();
  const waiting = new Set<{ readonly page: object; readonly queue: string; later: LoadRequest["later"] }>();
  let held: (() => void)[] = [];
  let mode: ScriptedDisk["mode"] = "ok";

  const nameOf = ({ queue, order }: StoredPublish): string => `${queue}/${String(order).padStart(6, "0")}`;
  const sorted = (): StoredPublish[] =>
    [...records].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, record]) => record);
  const of = (queue: string): StoredPublish[] => sorted().filter((record) => record.queue === queue);
  const done = async (): Promise<void> => {
    if (mode === "held") await new Promise<void>((resolve) => held.push(resolve));
    if (mode === "broken") throw new Error("The disk is broken.");
  };

  return {
    get records() {
      return sorted();
    },
    get mode() {
      return mode;
    },
    set mode(now) {
      mode = now;
      if (now === "held") return;
      for (const resolve of held.splice(0)) resolve();
    },
    page() {
      const page = {};
      let isOver = false;
      const end = (): void => {
        isOver = true;
        held = [];
        for (const [queue, owner] of owners) if (owner === page) owners.delete(queue);
        for (const wait of waiting) {
          if (wait.page === page) waiting.delete(wait);
          else if (!owners.has(wait.queue)) {
            waiting.delete(wait);
            owners.set(wait.queue, wait.page);
            wait.later(of(wait.queue));
          }
        }
      };
      return {
        async load({ queue, later }) {
          await done();
          owners.set(queue, page);
          const others = new Set(sorted().map((record) => record.queue));
          others.delete(queue);
          return [...others].flatMap((other) => {
            if (owners.has(other)) {
              waiting.add({ page, queue: other, later });
              return [];
            }
            owners.set(other, page);
            return of(other);
          });
        },
        async put(publishes) {
          await done();
          if (!isOver) for (const publish of publishes) records.set(nameOf(publish), publish);
        },
        async remove(publishes) {
          await done();
          if (!isOver) for (const publish of publishes) records.delete(nameOf(publish));
        },
        close: end,
        end,
      };
    },
  };
}
