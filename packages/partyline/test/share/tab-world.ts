/**
 * Tabs of one browser, with the real client in each, before a real engine: what is made up is the wires between them.
 * Nothing moves on a wire but when it is told to, so that a test can choose every order there may be.
 */
import { createMemoryBroker } from "../../src/brokers/memory/index.ts";
import { createClientIn } from "../../src/client/create-client.ts";
import type { Client, ClientOptions } from "../../src/client/client-types.ts";
import { createKeeper, type KeeperPlace } from "../../src/client/keeper.ts";
import type { PageEvents } from "../../src/client/page.ts";
import type { Runtime } from "../../src/client/runtime.ts";
import { share } from "../../src/client/share/share.ts";
import { openWebSocket } from "../../src/client/transports/ws.ts";
import { createEngine, type EngineOptions } from "../../src/core/engine.ts";
import { createCounters } from "../../src/core/counters.ts";
import { SERVER_GRANTS } from "../../src/core/grants.ts";
import type { Broker, NewMessage } from "../../src/core/ports.ts";
import { formatPosition, type Position } from "../../src/protocol/position.ts";
import { encodeText } from "../../src/protocol/message.ts";
import { itemLines } from "../../src/transports/item-lines.ts";
import { createVirtualClock } from "../../src/testing/virtual-clock.ts";
import { createFakeTabs, createPage, happen, type Page, thaw, type Wire } from "./fake-tabs.ts";

interface QueueWire extends Wire {
  readonly queue: (() => void)[];
}

/** A message as the broker has taken it; without text it deletes its key. */
export interface Stored {
  readonly channel: string;
  readonly epoch: string;
  readonly offset: number;
  readonly text: string | undefined;
  readonly key: string | undefined;
}

export interface Tab {
  readonly client: Client;
  readonly reported: readonly unknown[];
  /** Whether what other tabs post to this one can't be handed over. */
  refusesPosts: boolean;
  /** The page's clock. */
  now(): number;
  /** Ends the process: no word is said. */
  kill(): void;
  /** The page is left, and kept to come back to. */
  leave(): void;
  comeBack(): void;
  /** The browser freezes it, and says so before. */
  rest(): void;
  /** Its process hangs: it hears nothing and has no timers. */
  freeze(): void;
  thaw(): void;
}

export type TabWorld = ReturnType<typeof createTabWorld>;

export function createTabWorld(options: Partial<EngineOptions> = {}, seed = 1) {
  const clock = createVirtualClock(1_000_000);
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const counters = createCounters();
  const wires = new Set<QueueWire>();
  const pages = new Set<Page>();
  const sockets = new Set<{ readonly page: Page; cut(): void }>();
  let opened = 0;
  const log = (): void => undefined;
  const stored: Stored[] = [];
  const record = (channel: string, { epoch, offset }: Position, message: NewMessage | undefined): void => {
    if (!message) return;
    const { kind, key, data } = message;
    const text = kind === "deleted" ? undefined : new TextDecoder().decode(data);
    stored.push({ channel, epoch, offset, text, key });
  };
  const start = () => {
    const memory = createMemoryBroker({ now: () => 1_790_000_000_000 + clock.now(), random });
    const broker: Broker = {
      capabilities: memory.capabilities,
      append(channel, messages) {
        const outcome = memory.append(channel, messages);
        for (const [index, { position, duplicate }] of outcome.is === "stored"
          ? outcome.results.entries()
          : [])
          if (!duplicate) record(channel.name, position, messages[index]);
        return outcome;
      },
      read: (...request) => memory.read(...request),
      subscribe: (...request) => memory.subscribe(...request),
      heads: (names) => memory.heads(names),
      time: () => memory.time(),
      close: () => memory.close(),
    };
    const logger = { info: log, warn: log, error: log };
    return { memory, engine: createEngine({ broker, clock, metrics: counters, logger, ...options }) };
  };
  let server = start();

  const wire = (to: Page | undefined): QueueWire => {
    const made: QueueWire = { to, queue: [] };
    wires.add(made);
    return made;
  };
  const cutWire = (cut: QueueWire): void => {
    wires.delete(cut);
    cut.queue.length = 0;
  };
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 30; round++) await Promise.resolve();
  };
  /** Wires on which something can move now. */
  const busy = (): QueueWire[] => [...wires].filter(({ queue, to }) => queue.length > 0 && !to?.frozen);
  const move = async (moved: QueueWire): Promise<void> => {
    moved.queue.shift()?.();
    await settle();
    clock.turn();
    await settle();
  };
  /** Lets all come that is on its way, but for what these wires hold. */
  const rest = async (held: readonly QueueWire[] = []): Promise<void> => {
    await settle();
    clock.turn();
    await settle();
    const next = (): QueueWire | undefined => busy().find((wire) => !held.includes(wire));
    for (let wire = next(); wire; wire = next()) await move(wire);
  };
  const pass = async (milliseconds: number, step = 50, held: readonly QueueWire[] = []): Promise<void> => {
    await rest(held);
    for (let gone = 0; gone < milliseconds; gone += step) {
      clock.advance(Math.min(step, milliseconds - gone));
      await rest(held);
    }
  };

  const common = createFakeTabs(wire, cutWire);

  // --- the server ---

  const socketOf = (page: Page): typeof WebSocket => {
    class TabWebSocket {
      onopen: (() => void) | null = null;
      onmessage: ((event: { data: string }) => void) | null = null;
      onclose: ((event: { code: number; reason: string }) => void) | null = null;
      onerror: (() => void) | null = null;
      readonly #up = wire(undefined);
      readonly #down = wire(page);
      #open = true;
      readonly #conversation;
      readonly #entry;

      constructor(url: string) {
        const say = (data: string): void => void this.#down.queue.push(() => this.onmessage?.({ data }));
        if (!page.alive) throw new Error("This page is dead.");
        opened++;
        this.#entry = { page, cut: () => this.#lose(1006) };
        sockets.add(this.#entry);
        this.#conversation = server.engine.converse(
          {
            write: ({ channel, item }) => {
              for (const line of itemLines(channel, item).split("\n")) say(line);
              return true;
            },
            reply: (frame) => {
              say(JSON.stringify(frame));
              return true;
            },
            cork: () => undefined,
            uncork: () => undefined,
            close: ({ retryable }) => this.#lose(retryable ? 4503 : 4400),
          },
          { mode: "full", credentials: { token: undefined, header: () => undefined } },
        );
        this.#down.queue.push(() => this.onopen?.());
        void url;
      }

      #end(): void {
        if (!this.#open) return;
        this.#open = false;
        sockets.delete(this.#entry);
        cutWire(this.#up);
        this.#conversation.closed();
      }

      /** What was on its way to the client still comes, or not. */
      #lose(code: number): void {
        if (!this.#open) return;
        this.#end();
        this.#down.queue.push(() => this.onclose?.({ code, reason: "" }));
      }

      send(text: string): void {
        if (!this.#open) return;
        for (const line of text.split("\n")) this.#up.queue.push(() => this.#conversation.receive(line));
      }

      close(): void {
        this.#end();
        cutWire(this.#down);
      }
    }
    return TabWebSocket as unknown as typeof WebSocket;
  };

  /** @param shares Has the page a way to share? */
  const openTab = (clientOptions: ClientOptions = {}, shares = true): Tab => {
    const page = createPage();
    pages.add(page);
    const reported: unknown[] = [];
    const shift = pages.size * 1000;
    const runtime: Runtime = {
      now: () => clock.now() - shift,
      date: () => 1_790_000_000_000 + clock.now(),
      recall: () => undefined,
      after(ms, run) {
        let over = false;
        const fire = (): void => {
          if (!over) run();
        };
        clock.setTimer(() => happen(page, fire), ms);
        return () => {
          over = true;
        };
      },
      random,
      randomBytes: () => Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256)),
      report: (error) => void reported.push(error),
      warn: (...text) => void reported.push(text),
      isOnline: () => true,
      onNetwork: () => () => undefined,
    };
    const tabs = common.tabsOf(page);
    const life = new Set<PageEvents>();
    const place: KeeperPlace = {
      note: () => undefined,
      watch(events) {
        life.add(events);
        return () => void life.delete(events);
      },
    };
    const client = createClientIn(
      {
        runtime,
        transports: {
          ws: () => openWebSocket,
          sse: () => Promise.reject(new Error("There is none here.")),
          poll: () => Promise.reject(new Error("There is none here.")),
        },
        keeper: async (request) => createKeeper(request, place),
        // The WebSocket is the same for all, though it is none of the runtime's.
        share: async (port, { share: name, token }) =>
          share(port, { share: name, token }, shares ? tabs : null),
      },
      "ws://test",
      { transports: ["ws"], share: "me", WebSocket: socketOf(page), ...clientOptions },
    );
    return {
      client,
      reported,
      get refusesPosts() {
        return page.refusesPosts;
      },
      set refusesPosts(refuses) {
        page.refusesPosts = refuses;
      },
      now: () => runtime.now(),
      kill() {
        page.alive = false;
        for (const each of [...wires]) if (each.to === page) cutWire(each);
        for (const socket of [...sockets]) if (socket.page === page) socket.cut();
        common.kill(page);
      },
      leave() {
        for (const { leave } of [...life]) leave();
      },
      comeBack() {
        for (const { wake } of [...life]) wake();
      },
      rest() {
        for (const freeze of [...page.freezing]) freeze();
      },
      freeze() {
        page.frozen = true;
      },
      thaw: () => thaw(page),
    };
  };

  return {
    clock,
    counters,
    openTab,
    busy,
    move,
    rest,
    pass,
    random,
    /** Connections at the server, now and ever. */
    get connections() {
      return sockets.size;
    },
    get opened() {
      return opened;
    },
    /** All that was ever stored, in order. */
    stored: stored as readonly Stored[],
    /** The newest position of a channel. */
    head(channel: string): string | undefined {
      const [head] = server.memory.heads([channel]);
      return head && formatPosition(head.position);
    },
    /** What is on its way, in pieces. */
    get waiting() {
      return [...wires].reduce((sum, { queue }) => sum + queue.length, 0);
    },
    cut() {
      for (const socket of [...sockets]) socket.cut();
    },
    /** Ends the server, and starts another one that has no past. */
    restart() {
      for (const socket of [...sockets]) socket.cut();
      void server.engine.close();
      server = start();
    },
    publish(channel: string, text: string, key?: string) {
      return server.engine.publish(
        { channel, kind: "auto", data: encodeText(text), id: undefined, key },
        SERVER_GRANTS,
      );
    },
    delete: (channel: string, key: string) => server.engine.remove(channel, key, SERVER_GRANTS),
    /** Rooms, locks and wires that somebody has left behind. */
    leftovers: () => [
      ...common.leftovers(),
      ...[...wires].filter(({ queue }) => queue.length > 0).map(() => "wire"),
    ],
  };
}
