/** The framing of event streams over HTTP/1.1, for clients that read a body without framing in blocks. */
import { spawn, spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { ByteLine } from "./support/byte-line.ts";
import { chunkedBody } from "./support/chunks.ts";
import { silent } from "./support/line-rig.ts";
import { Inbox } from "./transport/probe.ts";

let server: Partyline;
let port: number;
const lines: ByteLine[] = [];

async function start(options: PartylineOptions = {}): Promise<void> {
  server = createPartyline({ logger: silent, ...options });
  ({ port } = await server.listen(0));
}

beforeEach(() => start());

afterEach(async () => {
  for (const { socket } of lines.splice(0)) socket.destroy();
  await server.close();
});

function ask(request: string): ByteLine {
  const line = new ByteLine(port);
  lines.push(line);
  line.socket.write(request);
  return line;
}

const HEAD = "Host: localhost\r\nAccept: text/event-stream\r\n";
const BODY = '{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"a"}';
/** Characters of two and four bytes, which tell characters from bytes. */
const DATA = "übung 😀\n";

const STREAMS = [
  ["a channel", (version: string) => `GET /channels/a HTTP/${version}\r\n${HEAD}\r\n`, "continuous"],
  ["/events", (version: string) => `GET /events?channel=a HTTP/${version}\r\n${HEAD}\r\n`, "continuous"],
  [
    "/connect",
    (version: string) =>
      `POST /connect HTTP/${version}\r\n${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`,
    "attached",
  ],
] as const;

describe.each(STREAMS)("the event stream of %s", (_name, request, opening) => {
  it.each([
    ["small", DATA],
    ["large", DATA.repeat(2_000)],
  ])(
    "is chunked over HTTP/1.1, a %s message being whole chunks, and ends with the last one [SSE-22]",
    async (_size, data) => {
      const line = ask(request("1.1"));
      await line.until(() => line.text.includes(opening));
      await server.channel("a").publish(data);
      await line.until(() => line.text.includes("😀") && chunkedBody(line.text).text.endsWith("\n\n"));
      expect(line.text).toMatch(/\r\nTransfer-Encoding: chunked\r\n/i);
      await server.close();
      await line.until(() => line.ended);
      const { text, ended } = chunkedBody(line.text);
      expect(ended).toBe(true);
      expect(text.match(/😀/g)).toHaveLength(data.length / DATA.length);
      expect(text).toMatch(/"draining"[^]*\n\n$/);
    },
  );

  it("is sent a comment as a chunk [SSE-22, LIVE-4]", async () => {
    await server.close();
    await start({ heartbeat: { comment: 1 } });
    const line = ask(request("1.1"));
    await line.until(() => line.text.includes("\r\n3\r\n:\n\n\r\n"));
    expect(chunkedBody(line.text).text).toMatch(/:\n\n$/);
  });

  it("has no framing over HTTP/1.0, and ends with the connection [SSE-22]", async () => {
    const line = ask(request("1.0"));
    await line.until(() => line.text.includes(opening));
    await server.channel("a").publish(DATA);
    await line.until(() => line.text.includes("😀"));
    expect(line.text).not.toMatch(/transfer-encoding/i);
    expect(line.text).toMatch(/\r\nConnection: close\r\n/i);
    expect(line.text).not.toMatch(/^[0-9a-f]+\r$/m);
    await server.close();
    await line.until(() => line.ended);
    expect(line.text).toMatch(/"draining"[^]*\n\n$/);
  });
});

const IMPORT = "try:\n    import requests\nexcept ImportError:\n    from pip._vendor import requests\n";
const PYTHON = `${IMPORT}
import sys
answer = requests.get("http://127.0.0.1:%s/channels/a" % sys.argv[1], headers={"accept": "text/event-stream"}, stream=True)
for line in answer.iter_lines():
    print(line.decode(), flush=True)
`;

describe("Python's requests", () => {
  it("gets each event of a quiet stream as it comes, by iter_lines [SSE-22]", async ({ skip }) => {
    if (spawnSync("python3", ["-c", IMPORT]).status !== 0) skip("no python3 with requests or pip");
    const python = spawn("python3", ["-c", PYTHON, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
    const inbox = new Inbox<string>();
    let rest = "";
    python.stdout.setEncoding("utf8").on("data", (piece: string) => {
      const parts = (rest + piece).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) inbox.push(part);
    });
    const next = async (begin: string): Promise<string> => {
      for (;;) {
        const line = await inbox.next();
        if (line.startsWith(begin)) return line;
      }
    };
    await next("data: {");
    for (const text of ["1", "2", "3"]) {
      await server.channel("a").publish(text);
      expect(await next("data:")).toBe(`data: ${text}`);
    }
    python.kill();
  });
});
