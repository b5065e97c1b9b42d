import type { MatchEvent, ReplayEvent } from "../events.ts";

/** What the stream tells, in the page's words. */
export interface StreamListener {
  /** A message. `late`: it was there before this page asked, so it is no news. */
  message(channel: string, event: MatchEvent | ReplayEvent, late: boolean): void;
  /** The channel could not go on where the page was: what the page knows of it is void, it is told from its start. */
  gap(channel: string): void;
  /** `live` means that the server has answered for every channel. */
  state(state: "connecting" | "live" | "lost"): void;
}

/** How long to wait before a new attempt when the browser has given up, as it does after an HTTP error. */
const RETRY = 3000;

interface Opening {
  readonly channel: string;
  readonly head?: string;
}

interface Delivery {
  readonly channel: string;
  readonly offset: number;
  readonly data: MatchEvent | ReplayEvent;
}

/**
 * Follows several channels over one native `EventSource`. The browser reconnects by itself and tells the server
 * where it was (`Last-Event-ID`), so there is hardly anything to do here; one stream for all channels, because a
 * browser opens only six connections to a site.
 */
export function follow(channels: readonly string[], listener: StreamListener): { close(): void } {
  const query = channels.map((channel) => `channel=${encodeURIComponent(channel)}`).join("&");
  const opened = new Set<string>();
  /** Newest offset of each channel when this page first asked: up to there it is history. */
  const heads = new Map<string, number>();
  let since = "earliest";
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const open = (): void => {
    source = new EventSource(`/events?${query}&since=${since}`);
    source.addEventListener("continuous", sourceOnOpening);
    source.addEventListener("gap", sourceOnGap);
    source.addEventListener("message", sourceOnMessage);
    source.addEventListener("mark", remember);
    source.addEventListener("skip", remember);
    source.addEventListener("error", sourceOnError);
    opened.clear();
  };

  /** For the case that the browser gives up and a new `EventSource` has to take over at the same positions. */
  const remember = ({ lastEventId }: MessageEvent<string>): void => {
    if (lastEventId !== "") since = encodeURIComponent(lastEventId);
  };

  const sourceOnOpening = (event: MessageEvent<string>): void => {
    remember(event);
    const { channel, head } = JSON.parse(event.data) as Opening;
    if (!heads.has(channel)) heads.set(channel, offsetOf(head));
    answered(channel);
  };

  const sourceOnGap = (event: MessageEvent<string>): void => {
    remember(event);
    const { channel } = JSON.parse(event.data) as Opening;
    listener.gap(channel);
    answered(channel);
  };

  const answered = (channel: string): void => {
    opened.add(channel);
    if (opened.size === channels.length) listener.state("live");
  };

  const sourceOnMessage = (event: MessageEvent<string>): void => {
    remember(event);
    const { channel, offset, data } = JSON.parse(event.data) as Delivery;
    listener.message(channel, data, offset <= (heads.get(channel) ?? 0));
  };

  const sourceOnError = (): void => {
    opened.clear();
    listener.state("lost");
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    timer = setTimeout(open, RETRY);
  };

  listener.state("connecting");
  open();
  return {
    close() {
      clearTimeout(timer);
      source.close();
    },
  };
}

function offsetOf(position: string | undefined): number {
  return Number(position?.split(":")[1] ?? 0);
}
