import { mayReconnect } from "../../protocol/close-codes.ts";
import type { ErrorFrame } from "../../protocol/frames.ts";
import { SUBPROTOCOL } from "../../protocol/frames.ts";
import { connectionLost, fromErrorFrame } from "../errors.ts";
import type { Link, LinkEnd, LinkRequest } from "../link.ts";
import { createStream } from "../stream.ts";
import { createWatch } from "../watch.ts";

/** Before its first frame is accepted a server takes one frame of at most this many bytes. */
const HELLO_BYTES = 4096;

/** `/connect` over WebSocket: both ways on one connection. */
export function openWebSocket(request: LinkRequest): Link {
  const { runtime, timing } = request;
  let over = false;
  let open = false;
  let lastError: ErrorFrame | undefined;
  const stream = createStream(
    {
      ...request.host,
      welcome(frame) {
        open = true;
        request.host.welcome(frame);
        if (!over) link.sync();
      },
      error(frame) {
        lastError = frame;
        request.host.error(frame);
      },
    },
    request.token,
  );
  const socket = new request.WebSocket(request.url.replace(/^http/, "ws"), SUBPROTOCOL);
  const send = (line: string): void => socket.send(line);

  const stop = (): void => {
    over = true;
    watch.stop();
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
    // A socket that is closed while it connects reports an error on top, to nobody.
    socket.onerror = () => undefined;
    socket.close();
  };
  const finish = (end: LinkEnd): void => {
    if (over) return;
    stop();
    request.host.end(end);
  };
  const watch = createWatch(runtime, timing, {
    ask: () => open && send(stream.ping()),
    silent: () => finish({ error: connectionLost("The server was silent for too long."), terminal: false }),
  });

  socket.onopen = () => {
    // Attaching in the first frame saves a round trip; what does not fit follows the welcome.
    let lines = stream.hello();
    for (const channel of request.host.wanted()) {
      if (lines.length + channel.length * 3 + 200 > HELLO_BYTES) break;
      lines += `\n${stream.attach(channel)}`;
    }
    send(lines);
  };
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    watch.heard();
    try {
      stream.read(String(data));
    } catch (cause) {
      finish({ error: connectionLost("The server sent what is not a frame.", cause), terminal: false });
    }
  };
  socket.onclose = ({ code, reason }) => {
    const error = lastError
      ? fromErrorFrame(lastError)
      : connectionLost(`The WebSocket was closed: ${code} ${reason}`.trim());
    // 1000 says nothing about coming again; this client did not close, so it does.
    finish({ error, terminal: code !== 1000 && !mayReconnect(code) });
  };

  const link: Link = {
    send: (command) => send(stream.command(command)),
    sync() {
      if (!open) return;
      const wanted = new Set(request.host.wanted());
      for (const channel of stream.channels) if (!wanted.has(channel)) send(stream.detach(channel));
      for (const channel of wanted) if (!stream.channels.has(channel)) send(stream.attach(channel));
    },
    reattach: (channel) => open && send(stream.attach(channel)),
    probe: () => watch.probe(),
    close: stop,
  };
  return link;
}
