import type { Broker, Clock, MaybePromise } from "../../core/ports.ts";

/** The life of a server process: when it is over, nothing that it had begun goes on. */
export interface Life {
  readonly over: boolean;
  /** Is it stopped? Then what happens to it waits until it goes on. */
  readonly stopped: boolean;
  stop(): void;
  goOn(): void;
  end(): void;
  /** A clock whose timers and turns end with the life. */
  clock(clock: Clock): Clock;
  /** A broker as the process reaches it: its subscriptions end with the life, and what is on its way is never answered. */
  broker(broker: Broker): Broker;
}

export function createLife(): Life {
  const subscriptions = new Set<{ close(): void }>();
  let state: "running" | "stopped" | "over" = "running";
  /** What has happened since it was stopped. */
  let late: (() => void)[] = [];

  /** Hands it what happens. */
  const happen = (act: () => void): void => {
    if (state === "running") act();
    else if (state === "stopped") late.push(act);
  };
  const reach = (): void => {
    if (state === "over") throw new Error("This server has crashed.");
  };
  const answered = <T>(answer: MaybePromise<T>): MaybePromise<T> => {
    if (!(answer instanceof Promise)) return answer;
    return new Promise<T>((resolve, reject) => {
      answer.then(
        (value) => happen(() => resolve(value)),
        (error: Error) => happen(() => reject(error)),
      );
    });
  };

  return {
    get over() {
      return state === "over";
    },
    get stopped() {
      return state === "stopped";
    },
    stop() {
      if (state === "running") state = "stopped";
    },
    goOn() {
      if (state !== "stopped") return;
      state = "running";
      const missed = late;
      late = [];
      for (const act of missed) act();
    },
    end() {
      state = "over";
      late = [];
      for (const subscription of subscriptions) subscription.close();
      subscriptions.clear();
    },
    clock: (clock) => ({
      now: () => clock.now(),
      setTimer(fire, delay) {
        let cancelled = false;
        const timer = clock.setTimer(() => happen(() => cancelled || fire()), delay);
        return {
          cancel() {
            cancelled = true;
            timer.cancel();
          },
        };
      },
      nextTurn: (fire) => clock.nextTurn(() => happen(fire)),
    }),
    broker: (broker) => ({
      capabilities: broker.capabilities,
      append(channel, messages) {
        reach();
        return answered(broker.append(channel, messages));
      },
      read(channel, since, limit) {
        reach();
        return answered(broker.read(channel, since, limit));
      },
      subscribe(channel, listener) {
        reach();
        const opened = broker.subscribe(channel, (epoch, entries) => {
          happen(() => listener(epoch, entries));
        });
        const keep = (subscription: Awaited<typeof opened>): Awaited<typeof opened> => {
          const kept = {
            head: subscription.head,
            close() {
              subscriptions.delete(kept);
              subscription.close();
            },
          };
          if (state === "over") subscription.close();
          else subscriptions.add(kept);
          return kept;
        };
        return opened instanceof Promise ? answered(opened.then(keep)) : keep(opened);
      },
      heads(names) {
        reach();
        return answered(broker.heads(names));
      },
      time: () => broker.time(),
      // The broker is the network's: it may outlive this server.
      close: () => undefined,
    }),
  };
}
