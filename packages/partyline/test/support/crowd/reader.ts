import { request } from "node:http";
import { connect } from "node:net";
import { clientFrame, OPCODE } from "../../transport/bare-websocket.ts";
import type { Account } from "./index.ts";

/** What leads to a channel: one connection, or one request after the other. */
export type Way =
  | {
      readonly name: string;
      readonly is: "stream";
      /** What is sent to open it. */
      readonly opening: readonly (string | Buffer)[];
      /** What comes when it is attached. */
      readonly attached: string;
    }
  | {
      readonly name: string;
      readonly is: "polls";
      request(since: string): { readonly path: string; readonly body?: string };
    };

const HOST = "HTTP/1.1\r\nHost: localhost\r\n";
const UPGRADE =
  `${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const STREAM = `${HOST}Accept: text/event-stream\r\n`;
const HELLO = '{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"a"}';

export const WAYS: readonly Way[] = [
  {
    name: "raw WebSocket",
    is: "stream",
    opening: [`GET /channels/a ${UPGRADE}`],
    attached: "101 Switching",
  },
  {
    name: "/connect over WebSocket",
    is: "stream",
    opening: [`GET /connect ${UPGRADE}`, clientFrame(OPCODE.text, HELLO)],
    attached: '"attached"',
  },
  {
    name: "event stream",
    is: "stream",
    opening: [`GET /channels/a ${STREAM}\r\n`],
    attached: "event: continuous",
  },
  {
    name: "/events",
    is: "stream",
    opening: [`GET /events?channel=a&channel=b ${STREAM}\r\n`],
    attached: '"channel":"b"',
  },
  {
    name: "/connect over an event stream",
    is: "stream",
    opening: [`POST /connect ${STREAM}Content-Length: ${HELLO.length}\r\n\r\n${HELLO}`],
    attached: '"attached"',
  },
  {
    name: "long polls in JSON",
    is: "polls",
    request: (since) => ({ path: `/channels/a?wait=50&since=${since}` }),
  },
  {
    name: "/connect over long polls",
    is: "polls",
    request: (since) => ({
      path: "/connect",
      body: `{"t":"hello","v":1,"wait":50}\n{"t":"attach","n":1,"channel":"a","since":"${since}"}`,
    }),
  },
];

/** Enough to hold what stands between two messages, on every wire. */
const BETWEEN = 2_048;
const MARK = 0x23;
/** The code of a close for a gap: 4410. */
const GAP_CODE = Buffer.of(4410 >> 8, 4410 & 255);

/** One reader, which looks at nothing but the numbers of the messages and what stands right before them. */
export class CrowdReader {
  readonly #way: Way;
  readonly #port: number;
  readonly #changed: () => void;
  attached = false;
  ended = false;
  last = 0;
  #count = 0;
  #missed = 0;
  readonly #faults: string[] = [];
  #closed: string | undefined;
  /** What was read behind the last message. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(way: Way, port: number, changed: () => void) {
    this.#way = way;
    this.#port = port;
    this.#changed = changed;
    if (way.is === "stream") this.#stream(way.opening, way.attached);
    else void this.#poll((since) => way.request(since));
  }

  account(): Account {
    return {
      way: this.#way.name,
      last: this.last,
      count: this.#count,
      missed: this.#missed,
      faults: this.#faults,
      closed: this.#closed,
    };
  }

  #stream(opening: readonly (string | Buffer)[], attached: string): void {
    const socket = connect(this.#port, "127.0.0.1");
    for (const piece of opening) socket.write(piece);
    socket.on("data", (chunk: Buffer) => {
      if (!this.attached) this.attached = chunk.includes(attached);
      this.#read(chunk);
      this.#changed();
    });
    socket.on("error", (error) => this.#faults.push(error.message));
    socket.on("close", () => {
      this.ended = true;
      const code = this.#rest.lastIndexOf(GAP_CODE);
      this.#closed = /^[0-9a-z]{12}:\d+$/.exec(this.#rest.toString("latin1", code + 2))?.[0];
      if (this.#closed === undefined) this.#faults.push("closed without a reason");
      this.#changed();
    });
  }

  async #poll(ask: (since: string) => { readonly path: string; readonly body?: string }): Promise<void> {
    const start = await this.#request({ path: "/channels/a?wait=0" });
    let since = /"position":"([^"]+)"/.exec(start.toString())?.[1] ?? "";
    const epoch = since.split(":")[0] ?? "";
    this.attached = true;
    this.#changed();
    for (;;) {
      const answer = await this.#request(ask(since));
      this.#read(answer, () => answer.toString("latin1"));
      // The channel has no other messages, so the number of one is its offset.
      since = `${epoch}:${this.last}`;
      this.#changed();
    }
  }

  #request({ path, body }: { path: string; body?: string }): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const method = body === undefined ? "GET" : "POST";
      // A connection for each: one that is kept may have been closed while this process was stopped.
      const options = { host: "127.0.0.1", port: this.#port, path, method, agent: false };
      const asked = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(Buffer.concat(chunks)));
      });
      asked.on("error", reject).end(body);
    });
  }

  /** @param where Where a gap is told, where that is elsewhere than right before the message. */
  #read(chunk: Buffer, where?: () => string): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let done = 0;
    for (let start = bytes.indexOf(MARK); start >= 0; start = bytes.indexOf(MARK, done)) {
      const end = bytes.indexOf(MARK, start + 1);
      if (end < 0) break;
      const before = (): string => bytes.toString("latin1", Math.max(done, start - BETWEEN), start);
      this.#message(Number(bytes.toString("latin1", start + 1, end)), where ?? before);
      done = end + 1;
    }
    this.#rest = bytes.subarray(Math.max(done, bytes.length - BETWEEN));
  }

  #message(number: number, where: () => string): void {
    const missing = number - this.last - 1;
    if (missing < 0) this.#faults.push(`${number} after ${this.last}`);
    else if (missing > 0 && where().includes('"reason":"retention"')) this.#missed += missing;
    else if (missing > 0) this.#faults.push(`${missing} missing before ${number}`);
    this.#count += 1;
    this.last = number;
  }
}
