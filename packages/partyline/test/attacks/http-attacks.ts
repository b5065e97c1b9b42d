import { type Attack, atOnce, flood } from "./attack.ts";
import { repeated } from "./frames.ts";
import type { Attacker } from "./peer.ts";

const HELLO = '{"t":"hello","v":1}';
const PIECE = 128 * 1024;

/** The bytes of a request. */
export function request(target: string, { method = "GET", head = "", body = "" } = {}): Buffer {
  const length = method === "GET" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${head}${length}\r\n${body}`);
}

const post = (target: string, body: string, head = ""): Buffer =>
  request(target, { method: "POST", body, head });

/** A body in chunks of one byte each. */
export function chunked(target: string, body: string): Buffer {
  const head = `POST ${target} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const chunks = Array.from(body, (byte) => `1\r\n${byte}\r\n`).join("");
  return Buffer.from(`${head}${chunks}0\r\n\r\n`);
}

const pipelined = (bytes: Buffer | ((index: number) => Buffer)): Attack["run"] => {
  return (attacker, goOn) => flood(() => attacker.open(), bytes, goOn);
};

/** Floods a connection whose answers are not read. */
const unread = (bytes: Buffer): Attack["run"] => {
  return (attacker, goOn) =>
    flood(
      async () => {
        const line = await attacker.open();
        line.socket.pause();
        return line;
      },
      bytes,
      goOn,
    );
};

/** Fills a channel with 1 MiB of history, then runs the attack. */
const withHistory =
  (run: Attack["run"]): Attack["run"] =>
  async (attacker, goOn) => {
    await fill(attacker);
    await run(attacker, goOn);
  };

/** Stores 1 MiB in the channel `full`. */
export async function fill(attacker: Attacker): Promise<void> {
  const line = await attacker.open();
  const message = `"${"x1 ".repeat(21_800)}"`;
  for (let n = 1; n <= 16; n++) {
    const head =
      n === 16 ? "Content-Type: text/plain\r\nConnection: close\r\n" : "Content-Type: text/plain\r\n";
    await line.send(post("/channels/full", message, head));
  }
  await line.closed;
  line.leave();
}

const HISTORY = "/channels/full?since=earliest&limit=1000";
const STORED = { stored: 24 * 1024 * 1024 };

export const HTTP_ATTACKS: readonly Attack[] = [
  {
    name: "`POST /connect` with 1 000 lines, pipelined",
    run: pipelined(post("/connect", `${HELLO}\n${"x\n".repeat(998)}`)),
  },
  {
    name: "`POST /connect` with 1 000 `ping` commands, pipelined",
    run: pipelined(
      post("/connect", [HELLO, ...Array.from({ length: 998 }, (_, n) => `{"t":"ping","n":${n}}`)].join("\n")),
    ),
  },
  {
    name: "`POST /connect` with a body of 390 000 blank lines",
    run: pipelined(post("/connect", `${HELLO}\n${"\n".repeat(390_000)}`)),
  },
  {
    name: "a body in chunks of one byte",
    run: pipelined(chunked("/connect", `${HELLO}\n${" ".repeat(390_000)}`)),
  },
  {
    name: "a body without end in chunks of one byte",
    run: (attacker, goOn) =>
      flood(
        async () => {
          const line = await attacker.open();
          await line.send("POST /connect HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
          return line;
        },
        repeated(Buffer.from("1\r\nx\r\n"), PIECE),
        goOn,
      ),
  },
  {
    name: "`POST /channels` of one byte, pipelined",
    bounds: STORED,
    run: pipelined(repeated(post("/channels/attacked", "x"), PIECE)),
  },
  {
    name: "`POST /channels` with a key of 14 KB that is refused",
    run: pipelined(post(`/channels/attacked?key=${"k".repeat(14_000)}`, "x")),
  },
  {
    name: "`POST /channels` with 14 KB of unused query",
    bounds: STORED,
    run: pipelined(post(`/channels/attacked?key=k&x=${"y".repeat(14_000)}`, "x")),
  },
  {
    name: "`GET` of 1 MiB of history, pipelined",
    bounds: STORED,
    run: withHistory(pipelined(request(HISTORY))),
  },
  {
    name: "`GET` of 1 MiB of history, pipelined, answers not read",
    bounds: STORED,
    run: withHistory(unread(repeated(request(HISTORY), PIECE))),
  },
  {
    name: "`GET` of 1 MiB of history with gzip, pipelined",
    settings: { compression: true },
    bounds: STORED,
    run: withHistory(pipelined(request(HISTORY, { head: "Accept-Encoding: gzip\r\n" }))),
  },
  {
    name: "small `GET`s, pipelined, answers not read",
    run: unread(repeated(request("/channels/none"), PIECE)),
  },
  { name: "refused requests, pipelined", run: pipelined(repeated(request("/nothing"), PIECE)) },
  {
    name: "long polls, pipelined behind each other",
    run: unread(repeated(request("/channels/none?wait=55"), PIECE)),
  },
  {
    name: "event streams of 32 channels that are opened and left",
    run: (attacker, goOn) => {
      const query = (index: number): string =>
        Array.from({ length: 32 }, (_, n) => `channel=s${index}/${n}`).join("&");
      let index = 0;
      return flood(
        () => attacker.open(),
        () => {
          void attacker.leave();
          return request(`/events?${query(index++)}`, { head: "Accept: text/event-stream\r\n" });
        },
        goOn,
      );
    },
  },
  {
    name: "heads of 15 KB in 400 fields",
    run: pipelined(
      request("/channels/none", {
        head: Array.from({ length: 400 }, (_, n) => `X-${n}: ${"v".repeat(28)}\r\n`).join(""),
      }),
    ),
  },
  {
    name: "connections that are opened and left",
    run: (attacker, goOn) =>
      flood(
        () => attacker.open(),
        () => {
          void attacker.leave();
          return "GET";
        },
        goOn,
      ),
  },
  {
    name: "500 connections with a head that does not end",
    run: async (attacker, goOn) => {
      await atOnce(500, async () => {
        const line = await attacker.open();
        let more = await line.send("GET /channels/a HTTP/1.1\r\nHost: localhost\r\n");
        while (more && goOn()) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          more = await line.send("X: y\r\n");
        }
      });
    },
  },
];
