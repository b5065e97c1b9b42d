import {
  type ErrorFrame,
  type HelloFrame,
  PROTOCOL_VERSION,
  type ResultFrame,
  type ServerFrame,
} from "../protocol/frames.ts";
import { jsonCodec } from "./codec.ts";
import { fromErrorFrame } from "./errors.ts";
import type { Command, LinkHost } from "./link.ts";
import { positionOf } from "./read-log.ts";

/**
 * The lines of one WebSocket, one SSE stream, one row of polls, or one `POST` of commands: numbers the commands, and
 * knows what the server's numbers mean. Both kinds of number hold for this stream alone.
 */
export interface Stream {
  /** Channels that this stream was asked to attach, and that were neither refused nor detached since, with the `n` of the newest attach. */
  readonly channels: ReadonlyMap<string, number>;
  /** `hello`, asking for this, and attaches of what is wanted as far as they fit into so many characters: into 0, none. */
  open(asked?: Pick<HelloFrame, "wait" | "quiet">, maxLength?: number): string;
  attach(channel: string): string;
  detach(channel: string): string;
  /** `undefined` where the command must not be sent any more. */
  command(command: Command): string | undefined;
  ping(): string;
  /** Commands without an answer, the oldest first. */
  readonly unanswered: readonly Command[];
  /**
   * Takes one or more whole lines from the server.
   *
   * @throws SyntaxError where a line is no JSON: the stream is broken.
   * @throws PartylineError where the server told an error that answers no command.
   */
  read(lines: string): void;
}

/** Times above this are none, in milliseconds since 1970. */
const MAX_TIME = 1e16;

export function createStream(host: LinkHost, token: string | undefined): Stream {
  let n = 0;
  /** The newest ping. */
  let pinged = 0;
  const channels = new Map<string, number>();
  /** The server's numbers. */
  const numbered = new Map<number, { readonly channel: string; epoch: string }>();
  const commands = new Map<number, Command>();

  const answer = (frame: ResultFrame | ErrorFrame): void => {
    const number = frame.n ?? 0;
    const command = commands.get(number);
    commands.delete(number);
    if (command) command.answer(frame);
    else if (frame.t === "error") {
      // A stale attach is named as well: then there is nothing to do.
      if (!number) throw fromErrorFrame(frame);
      for (const [channel, attach] of channels) {
        if (attach !== number) continue;
        channels.delete(channel);
        host.reader(channel)?.refused(frame);
      }
    }
  };

  const readFrame = (frame: ServerFrame, size: number): void => {
    if (frame.t === "welcome") {
      // One without its numbers is none.
      if (frame.time < MAX_TIME && frame.limits.messageBytes > 0) host.welcome(frame);
    } else if (frame.t === "attached") {
      const { c, channel, position } = frame;
      numbered.set(c, { channel, epoch: positionOf(position).epoch });
      // Answers to older attaches no longer count.
      if (channels.get(channel) === frame.n) host.reader(channel)?.attached(frame, stream);
    } else if (frame.t === "result" || frame.t === "error") answer(frame);
    else if (frame.t === "drain") host.drain();
    else if (frame.t === "pong") {
      // The answer to an older ping may have waited since before a sleep.
      if (frame.n === pinged) host.alive();
    } else if ("c" in frame) {
      // A frame of a type that this client does not know names no channel.
      const known = numbered.get(frame.c);
      if (!known) return;
      if (frame.t === "detached") channels.delete(known.channel);
      host.reader(known.channel)?.frame(frame, known.epoch, size);
      if (frame.t === "gap") known.epoch = positionOf(frame.to).epoch;
    }
  };
  const line = (t: string, channel?: string, how?: object): string =>
    JSON.stringify({ t, n: ++n, channel, ...how });

  const stream: Stream = {
    channels,
    get unanswered() {
      return [...commands.values()];
    },
    open(asked, maxLength = Infinity) {
      let lines = JSON.stringify({ t: "hello", v: PROTOCOL_VERSION, token, ...asked });
      channels.clear();
      // Each poll numbers its lines by itself: two polls from the same positions are the same text.
      n = 0;
      for (const channel of host.wanted()) {
        // A character may be three bytes; a position and the names of the members fit into 200.
        if ((lines.length + channel.length) * 3 + 200 < maxLength) lines += `\n${stream.attach(channel)}`;
      }
      return lines;
    },
    attach(channel) {
      channels.set(channel, n + 1);
      return line("attach", channel, host.reader(channel)?.attaching(stream));
    },
    detach(channel) {
      channels.delete(channel);
      return line("detach", channel);
    },
    command(command) {
      const fields = command.fields();
      if (!fields) return undefined;
      commands.set(++n, command);
      return `{"n":${n},"first":${command.first},${fields}}`;
    },
    ping() {
      pinged = n + 1;
      return line("ping");
    },
    read(lines) {
      const frames = (host.parse ?? jsonCodec.parse)(lines);
      // Each frame counts as long as the mean.
      for (const frame of frames) readFrame(frame, lines.length / frames.length);
    },
  };
  return stream;
}
