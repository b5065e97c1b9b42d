import { backoffDelay } from "../backoff.ts";
import type { ConnectionPort } from "../connection-port.ts";
import type { ChannelReader, Link, TransportName } from "../link.ts";
import { parseLines } from "./lines.ts";

/** What the side link is to bring. */
export interface SideLinkPort {
  token(): string | undefined;
  wanted(): readonly string[];
  reader(channel: string): ChannelReader | undefined;
  /** It is over, perhaps before all was brought. */
  ended(): void;
}

/** A link beside the connection, for readings that have to catch up; there only as long as there are some. */
export interface SideLink {
  /** Opens, changes or closes it as is wanted. */
  sync(): void;
  reattach(channel: string): void;
  close(): void;
}

type Hub = Pick<ConnectionPort, "order" | "request" | "runtime" | "timing" | "transports">;

export function createSideLink(
  { order, request, runtime, timing, transports }: Hub,
  port: SideLinkPort,
): SideLink {
  // The last choice is the one that works everywhere, and a few polls are no connection at all.
  const transport = order.at(-1) as TransportName;
  let attempt: object | undefined;
  let link: Link | undefined;
  let failures = 0;
  let stopTimer = (): void => undefined;

  const close = (): void => {
    if (!attempt) return;
    attempt = undefined;
    stopTimer();
    link?.close();
    link = undefined;
    port.ended();
  };
  const open = (): void => {
    const present = {};
    attempt = present;
    const since = runtime.now();
    const end = (): void => {
      if (attempt !== present) return;
      if (runtime.now() - since >= timing.stableAfter) failures = 0;
      close();
      attempt = present;
      stopTimer = runtime.after(backoffDelay(failures++, timing, runtime.random), () => {
        attempt = undefined;
        side.sync();
      });
    };
    const host = {
      parse: parseLines,
      wanted: () => port.wanted(),
      reader: (channel: string) => (attempt === present ? port.reader(channel) : undefined),
      welcome: () => undefined,
      alive: () => undefined,
      drain: end,
      end,
    };
    Promise.resolve(transports[transport]())
      .then((openLink) => {
        if (attempt === present) link = openLink({ ...request, token: port.token(), host });
      })
      .catch(end);
  };

  const side: SideLink = {
    sync() {
      if (port.wanted().length === 0) {
        failures = 0;
        close();
      } else if (attempt) link?.sync();
      else open();
    },
    reattach: (channel) => link?.reattach(channel),
    close,
  };
  return side;
}
