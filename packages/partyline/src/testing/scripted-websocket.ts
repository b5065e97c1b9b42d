/** A frame as a test writes and reads it. */
export type Frame = Readonly<Record<string, unknown>>;

/** The far end of a WebSocket that a client has opened: the test says what the server does. */
export interface ScriptedSocket {
  readonly url: string;
  /** Frames that the client has sent since the last call. */
  take(): Frame[];
  open(): void;
  /** Sends frames to the client, together in one message. */
  say(...frames: Frame[]): void;
  /** Closes it from the server's side, or loses it (1006). */
  close(code: number): void;
  /** It could not be opened, and no close follows. */
  fail(): void;
  /** Did the client close it? */
  readonly closed: boolean;
}

/** A network with nothing but scripted WebSockets. */
export interface ScriptedNetwork {
  /** To pass as a client's `WebSocket`. */
  readonly WebSocket: typeof WebSocket;
  /** All that were opened, the oldest first. */
  readonly sockets: readonly ScriptedSocket[];
}

/**
 * Makes WebSockets that lead to the test.
 *
 * @example
 * ```ts
 * const network = createScriptedNetwork();
 * const client = createClient("ws://test", { WebSocket: network.WebSocket });
 * network.sockets[0].open();
 * network.sockets[0].say({ t: "welcome", v: 1, time: 0, limits: { messageBytes: 65_536 } });
 * ```
 */
export function createScriptedNetwork(): ScriptedNetwork {
  const sockets: ScriptedSocket[] = [];

  class ScriptedWebSocket {
    onopen: (() => void) | null = null;
    onmessage: ((event: { data: string }) => void) | null = null;
    onclose: ((event: { code: number; reason: string }) => void) | null = null;
    onerror: (() => void) | null = null;
    #closed = false;
    #sent: string[] = [];

    constructor(url: string) {
      const isClosed = (): boolean => this.#closed;
      sockets.push({
        url,
        take: () =>
          this.#sent.splice(0).flatMap((text) => text.split("\n").map((line) => JSON.parse(line) as Frame)),
        open: () => this.onopen?.(),
        say: (...frames) =>
          this.onmessage?.({ data: frames.map((frame) => JSON.stringify(frame)).join("\n") }),
        close: (code) => this.onclose?.({ code, reason: "" }),
        fail: () => this.onerror?.(),
        get closed() {
          return isClosed();
        },
      });
    }

    send(text: string): void {
      if (this.#closed) throw new Error("The client sends on a WebSocket that it has closed.");
      this.#sent.push(text);
    }

    close(): void {
      this.#closed = true;
    }
  }
  return { WebSocket: ScriptedWebSocket as unknown as typeof WebSocket, sockets };
}
