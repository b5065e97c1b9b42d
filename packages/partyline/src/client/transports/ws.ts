import { mayReconnect } from "../../protocol/close-codes.ts";
import { SUBPROTOCOL } from "../../protocol/frames.ts";
import { PartylineError } from "../../protocol/partyline-error.ts";
import { closedError, connectionLost } from "../errors.ts";
import type { Link, LinkRequest } from "../link.ts";
import { createStream } from "../stream.ts";
import { createWatch } from "../watch.ts";

/** Size of the largest first frame that a server takes, in bytes. */
const HELLO_BYTES = 16_384;

/** The close code of a WebSocket that ended without a close. */
const LOST = 1006;

/** `/connect` over WebSocket: both ways on one connection. */
export function openWebSocket(request: LinkRequest): Link {
  const { host, token, url } = request;
  let open = false;
  let told: PartylineError | undefined;
  /**
   * Characters sent since the server was heard. The answer to a ping waits behind them: a slow uplink takes a
   * millisecond for each.
   */
  let unheard = 0;

  const stream = createStream(
    {
      ...host,
      welcome(frame) {
        open = true;
        host.welcome(frame);
        // What did not fit into the first frame.
        link.sync();
      },
      alive: () => watch.answered(),
    },
    token,
  );
  const socket = new request.WebSocket(url.replace("http", "ws"), SUBPROTOCOL);
  const send = (line: string | undefined): void => {
    if (!line || watch.over) return;
    unheard += line.length;
    socket.send(line);
  };
  const watch = createWatch(
    request,
    () => {
      if (open) socket.send(stream.ping());
      return unheard;
    },
    () => {
      // `onerror` stays: a socket that is closed while it connects reports that as an error.
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    },
  );

  // Attaching in the first frame saves a round trip.
  socket.onopen = () => send(stream.open(undefined, HELLO_BYTES));
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    unheard = 0;
    watch.heard();
    try {
      stream.read(data);
    } catch (error) {
      // An error that answers nothing comes before a close, and is its reason.
      if (error instanceof PartylineError) told = error;
      else watch.fail(error);
    }
  };
  const closed = ({ code }: { readonly code: number }): void => {
    const again = mayReconnect(code);
    const reason = `The WebSocket (${code})`;
    const lost = again ? connectionLost(`${reason} was lost.`, code) : closedError(reason);
    // The code alone decides about coming back.
    watch.fail(told?.retryable === again ? told : lost, code !== LOST);
  };
  socket.onclose = closed;
  // Of one that could not be opened Node 22 tells nothing else.
  socket.onerror = () => open || closed({ code: LOST });

  const link: Link = {
    send: (command) => send(stream.command(command)),
    sync() {
      if (!open) return;
      const wanted = new Set(host.wanted());
      for (const channel of stream.channels.keys()) if (!wanted.has(channel)) send(stream.detach(channel));
      for (const channel of wanted) if (!stream.channels.has(channel)) send(stream.attach(channel));
    },
    reattach: (channel) => send(stream.attach(channel)),
    probe: watch.probe,
    close: () => watch.stop(),
  };
  return link;
}
