import { parseChannelName, parseChannelPath } from "../protocol/channel-name.ts";
import { PartylineError } from "../protocol/errors.ts";
import { EVENTS_CHANNELS } from "../protocol/limits.ts";
import { parsePositions, parseSince, type Since } from "../protocol/position.ts";
import { type EventsChannel, EventsStream } from "../transports/events.ts";
import { RawSse } from "../transports/raw-sse.ts";
import type { StreamConnection } from "../transports/stream-connection.ts";
import type { Exchange, Reply } from "./exchange.ts";
import { resumeText } from "./resume.ts";
import { admitAttaches, paceOf, refusal, type Service, streamAnswer, takeSeat } from "./service.ts";
import { whenDone } from "./when-done.ts";

/** `GET /channels/{name}` for an event stream. */
export function channelStream(service: Service, exchange: Exchange, name: string, reply: Reply): void {
  const channel = parseChannelPath(name);
  const query = exchange.query === "" ? undefined : new URLSearchParams(exchange.query);
  const since = parseSince(resumeText(exchange, query));
  const pace = paceOf(query);
  const failed = (error: unknown): void => reply(refusal(service, exchange, error));
  whenDone(
    () => service.engine.authenticate(exchange),
    (grants) => {
      whenDone(
        () => {
          admitAttaches(service, 1);
          const stream = new RawSse(service, takeSeat(service, exchange), grants);
          return attached(stream, () => stream.attach(channel, since, pace));
        },
        (connection) => reply(streamAnswer(service, exchange, connection)),
        failed,
      );
    },
    failed,
  );
}

/** `GET /events?channel=…`: several channels in one event stream. */
export function eventsStream(service: Service, exchange: Exchange, reply: Reply): void {
  const wanted = eventsChannels(exchange);
  const failed = (error: unknown): void => reply(refusal(service, exchange, error));
  whenDone(
    () => service.engine.authenticate(exchange),
    (grants) => {
      whenDone(
        () => {
          admitAttaches(service, wanted.length);
          const stream = new EventsStream(service, takeSeat(service, exchange), grants);
          return attached(stream, () => stream.attach(wanted));
        },
        (connection) => reply(streamAnswer(service, exchange, connection)),
        failed,
      );
    },
    failed,
  );
}

/** The stream, when it is attached; where it can't be, it gives back what it took. */
function attached<Stream extends StreamConnection>(
  stream: Stream,
  attach: () => void | Promise<void>,
): Stream | Promise<Stream> {
  const abandon = (error: unknown): never => {
    stream.abandon();
    throw error;
  };
  try {
    const done = attach();
    return done instanceof Promise ? done.then(() => stream, abandon) : stream;
  } catch (error) {
    return abandon(error);
  }
}

function eventsChannels(exchange: Exchange): EventsChannel[] {
  const query = new URLSearchParams(exchange.query);
  const names = query.getAll("channel").map(parseChannelName);
  if (names.length === 0) throw new PartylineError("bad-name", "Name at least one channel: ?channel=….");
  if (names.length > EVENTS_CHANNELS)
    throw new PartylineError("too-many-channels", `At most ${EVENTS_CHANNELS} channels in one stream.`);
  if (new Set(names).size < names.length) throw new PartylineError("bad-name", "A channel is named twice.");
  const pace = paceOf(query);
  const text = resumeText(exchange, query) ?? "";
  if (text.startsWith("v1,")) {
    const positions = parsePositions(text, names.length);
    return names.map((channel, index) => ({ channel, since: sinceOf(positions[index]), pace }));
  }
  const since = parseSince(text);
  if (since?.at === "position")
    throw new PartylineError(
      "bad-position",
      "A position of one channel does not say where the others begin.",
      {
        remedy: "Use `now`, `earliest`, `last:N`, or the id of an event of this stream.",
      },
    );
  return names.map((channel) => ({ channel, since, pace }));
}

function sinceOf(position: ReturnType<typeof parsePositions>[number]): Since {
  return position ? { at: "position", position } : { at: "now" };
}
