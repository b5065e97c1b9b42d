/** Locks and conversations of tabs in one process, as browsers have them. */
import type { LockRequest, Tabs } from "../../src/client/share/tabs.ts";

/** Things on their way to one end, in order. */
export interface Wire {
  readonly to: Page | undefined;
  readonly queue: { push(arrives: () => void): void };
}

/** The process of one tab. */
export interface Page {
  alive: boolean;
  frozen: boolean;
  /** Whether what is posted to this page can't be handed over. */
  refusesPosts: boolean;
  /** Who is told before it is frozen. */
  readonly freezing: Set<() => void>;
  /** What happened while it was frozen. */
  readonly late: (() => void)[];
}

export function createPage(): Page {
  return { alive: true, frozen: false, refusesPosts: false, freezing: new Set(), late: [] };
}

/** Does what happens to a page: now, when it goes on, or never. */
export function happen(page: Page, act: () => void): void {
  if (!page.alive) return;
  if (page.frozen) page.late.push(() => happen(page, act));
  else act();
}

export function thaw(page: Page): void {
  page.frozen = false;
  for (const act of page.late.splice(0)) act();
}

/** @param wire Makes a wire to a page; `cutWire` forgets one and what is on it. */
export function createFakeTabs<W extends Wire>(wire: (to: Page) => W, cutWire: (cut: W) => void) {
  const rooms = new Map<string, Set<{ readonly wire: W; readonly hear: (message: unknown) => void }>>();
  interface Ask extends LockRequest {
    readonly page: Page;
    readonly wire: Wire;
    over: boolean;
  }
  const locks = new Map<string, { holder: Ask | undefined; waiting: Ask[] }>();
  const grant = (name: string): void => {
    const lock = locks.get(name);
    if (!lock || lock.holder) return;
    const next = lock.waiting.shift();
    if (!next) {
      locks.delete(name);
      return;
    }
    lock.holder = next;
    next.wire.queue.push(() => {
      if (!next.over) next.granted();
    });
  };
  const release = (name: string, ask: Ask): void => {
    const lock = locks.get(name);
    ask.over = true;
    if (!lock) return;
    lock.waiting = lock.waiting.filter((other) => other !== ask);
    if (lock.holder === ask) lock.holder = undefined;
    grant(name);
  };

  const tabsOf = (page: Page): Tabs => {
    const granting = wire(page);
    return {
      lock(name, request) {
        if (!page.alive) return () => undefined;
        const ask: Ask = { ...request, page, wire: granting, over: false };
        const lock = locks.get(name) ?? { holder: undefined, waiting: [] };
        locks.set(name, lock);
        if (request.steal) {
          const robbed = lock.holder;
          lock.holder = undefined;
          lock.waiting.unshift(ask);
          robbed?.wire.queue.push(() => {
            if (!robbed.over) robbed.lost?.(true);
          });
        } else lock.waiting.push(ask);
        grant(name);
        return () => release(name, ask);
      },
      join(name, hear) {
        const room = rooms.get(name) ?? new Set();
        rooms.set(name, room);
        const me = { wire: wire(page), hear: (hear ?? (() => undefined)) as (message: unknown) => void };
        if (page.alive) room.add(me);
        return {
          post(message) {
            for (const other of page.alive ? room : []) {
              if (other === me) continue;
              if (other.wire.to?.refusesPosts) throw new Error("The post can't be cloned.");
              const copy: unknown = structuredClone(message);
              other.wire.queue.push(() => {
                if (room.has(other)) other.hear(copy);
              });
            }
          },
          close() {
            room.delete(me);
            cutWire(me.wire);
          },
        };
      },
      onFreeze(freeze) {
        page.freezing.add(freeze);
        return () => void page.freezing.delete(freeze);
      },
      digest: (text) => Promise.resolve(`<${text}>`),
    };
  };

  return {
    tabsOf,
    /** The process of the page is gone: its locks go to others. */
    kill(page: Page): void {
      for (const room of rooms.values()) for (const me of [...room]) if (me.wire.to === page) room.delete(me);
      for (const [name, { holder, waiting }] of [...locks])
        for (const ask of [holder, ...waiting]) if (ask?.page === page) release(name, ask);
    },
    /** Names of rooms and locks that somebody has. */
    leftovers: (): string[] => [
      ...[...rooms].filter(([, room]) => room.size > 0).map(([name]) => name),
      ...locks.keys(),
    ],
  };
}
