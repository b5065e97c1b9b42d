import type { ErrorFrame, ResultFrame } from "../protocol/frames.ts";
import { readPosition } from "../protocol/position.ts";
import { readServerFrame } from "../protocol/read-server-frame.ts";
import type { Command, LinkHost } from "./link.ts";

/**
 * The lines of one WebSocket, one SSE stream, or one `POST` and its answer: numbers the commands, and knows what
 * the server's numbers mean. Both kinds of number hold for this stream alone.
 */
export interface Stream {
  /** Channels that this stream was asked to attach, and that were neither refused nor detached since. */
  readonly channels: ReadonlySet<string>;
  hello(wait?: number): string;
  attach(channel: string): string;
  detach(channel: string): string;
  command(command: Command): string;
  ping(): string;
  /** Commands without an answer. */
  readonly unanswered: number;
  /**
   * Takes one or more whole lines from the server.
   *
   * @throws SyntaxError where a line is no JSON object: the stream is broken.
   */
  read(lines: string): void;
}

interface Numbered {
  readonly channel: string;
  epoch: string;
}

export function createStream(host: LinkHost, token: string | undefined): Stream {
  let n = 0;
  const channels = new Set<string>();
  const numbered = new Map<number, Numbered>();
  /** Newest attach of each channel: answers to older ones no longer count. */
  const attaches = new Map<string, number>();
  const commands = new Map<number, Command>();

  const stream: Stream = {
    channels,
    get unanswered() {
      return commands.size;
    },
    hello: (wait) => JSON.stringify({ t: "hello", v: 1, token, wait }),
    attach(channel) {
      channels.add(channel);
      attaches.set(channel, ++n);
      return JSON.stringify({ t: "attach", n, channel, since: host.attaching(channel, stream) });
    },
    detach(channel) {
      channels.delete(channel);
      return JSON.stringify({ t: "detach", n: ++n, channel });
    },
    command(command) {
      commands.set(++n, command);
      return command.line(n);
    },
    ping: () => JSON.stringify({ t: "ping", n: ++n }),
    read(lines) {
      for (const line of lines.split("\n")) if (line.trim() !== "") readLine(line);
    },
  };

  const answer = (frame: ResultFrame | ErrorFrame): void => {
    const command = commands.get(frame.n ?? 0);
    if (command) {
      commands.delete(frame.n ?? 0);
      command.answer(frame);
    } else if (frame.t === "error") {
      for (const [channel, number] of attaches) {
        if (number !== frame.n) continue;
        channels.delete(channel);
        host.attachRefused(channel, frame, stream);
        return;
      }
      host.error(frame);
    }
  };

  const readLine = (line: string): void => {
    const frame = readServerFrame(line);
    switch (frame?.t) {
      case undefined:
      case "pong":
        return;
      case "welcome":
        host.welcome(frame);
        return;
      case "attached": {
        const { c, channel } = frame;
        numbered.set(c, { channel, epoch: readPosition(frame.position)?.epoch ?? "" });
        if (attaches.get(channel) === frame.n) host.attached(channel, frame, stream);
        return;
      }
      case "m":
      case "gap":
      case "skip":
      case "mark":
      case "stale":
      case "detached": {
        const known = numbered.get(frame.c);
        if (!known) return;
        if (frame.t === "detached" && frame.code !== "detached") channels.delete(known.channel);
        host.frame(known.channel, frame, known.epoch, line.length);
        if (frame.t === "gap" && frame.reason === "epoch")
          known.epoch = readPosition(frame.to)?.epoch ?? known.epoch;
        return;
      }
      case "result":
      case "error":
        answer(frame);
    }
  };

  return stream;
}
