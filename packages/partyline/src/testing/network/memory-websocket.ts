import type { Duplex } from "node:stream";
import { type ClientOptions, WebSocket as NodeWebSocket } from "ws";

/** A `WebSocket` class whose connections are those that `connect` opens. */
export function createWebSocketClass(connect: () => Duplex): typeof WebSocket {
  class MemoryWebSocket extends NodeWebSocket {
    constructor(url: string | URL, protocols?: string | string[], options?: ClientOptions) {
      // Compressed bytes come from another thread, and so at any time.
      super(url, protocols, { ...options, createConnection: connect, perMessageDeflate: false });
    }
  }
  return MemoryWebSocket as unknown as typeof WebSocket;
}
