/** Clients that we did not write, against our server. */
import { spawn } from "node:child_process";
import { EventSource } from "eventsource";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline } from "../src/server.ts";
import { Inbox } from "./transport/probe.ts";

let server: Partyline;
let url: string;
let port: number;

beforeEach(async () => {
  server = createPartyline();
  ({ url, port } = await server.listen(0));
});

afterEach(() => server.close());

/** Runs a program; its output as it comes, cut at lines. */
function run(
  command: string,
  args: string[],
  input = "",
): { lines: Inbox<string>; done: Promise<number>; kill(): void } {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = new Inbox<string>();
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    const parts = (rest + piece).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) lines.push(line);
  });
  child.stdin.end(input);
  return {
    lines,
    done: new Promise((resolve) => child.on("close", (code) => resolve(code ?? -1))),
    kill: () => void child.kill(),
  };
}

async function nextLine(lines: Inbox<string>, begin: string): Promise<string> {
  for (;;) {
    const line = await lines.next();
    if (line.startsWith(begin)) return line;
  }
}

describe("the npm package eventsource", () => {
  it("gets messages, and resumes by Last-Event-ID after its connection was lost [SSE-9]", async () => {
    const source = new EventSource(`${url}/channels/a`);
    const messages = new Inbox<string>();
    const openings = new Inbox<string>();
    source.addEventListener("message", ({ data }) => messages.push(String(data)));
    source.addEventListener("continuous", ({ lastEventId }) => openings.push(lastEventId));
    await openings.next();
    await server.channel("a").publish("one");
    expect(await messages.next()).toBe("one");
    const head = await server.channel("a").position();
    const { port: again } = { port };
    await server.close();
    server = createPartyline();
    await server.listen(again);
    await server.channel("a").publish("of another life");
    const gap = await new Promise<{ lastEventId: string; data: unknown }>((resolve) =>
      source.addEventListener("gap", resolve),
    );
    source.close();
    expect(JSON.parse(String(gap.data))).toMatchObject({ from: head, reason: "epoch" });
  });
});

describe("Node's own WebSocket", () => {
  it("publishes and hears its echo, text and binary", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/channels/a`);
    socket.binaryType = "arraybuffer";
    const heard = new Inbox<unknown>();
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => heard.push(data));
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    socket.send("hello");
    socket.send(Uint8Array.of(1, 2));
    expect(await heard.next()).toBe("hello");
    expect(new Uint8Array((await heard.next()) as ArrayBuffer)).toEqual(Uint8Array.of(1, 2));
    const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
    socket.close(1000, "bye");
    expect((await closed).wasClean).toBe(true);
  });
});

describe("curl", () => {
  it("follows a stream without buffering, publishes, and reads history", async () => {
    const follow = run("curl", ["-sN", "-H", "accept: text/event-stream", `${url}/channels/a`]);
    await nextLine(follow.lines, "event: continuous");
    const publish = run("curl", [
      "-s",
      "-d",
      '{"text":"hi"}',
      "-H",
      "content-type: application/json",
      `${url}/channels/a`,
    ]);
    expect(await publish.done).toBe(0);
    expect(await nextLine(follow.lines, 'data: {"text"')).toBe('data: {"text":"hi"}');
    follow.kill();
    await follow.done;
    const history = run("curl", ["-s", "-w", "\\n", `${url}/channels/a`]);
    expect(await nextLine(history.lines, "{")).toContain('"data":{"text":"hi"}');
  });

  it("is told the gap when what it has seen is no longer kept", async () => {
    await server.channel("a").publish("1");
    const follow = run("curl", [
      "-sN",
      "-H",
      "accept: text/event-stream",
      "-H",
      "last-event-id: 000000000000:5",
      `${url}/channels/a`,
    ]);
    await nextLine(follow.lines, "event: gap");
    follow.kill();
    await follow.done;
  });

  it("offers HTTP/2 by an upgrade that is not taken, and is answered", async () => {
    const ask = run("curl", ["-s", "--http2", "-w", "\\n", `${url}/channels/a`]);
    expect(await nextLine(ask.lines, "{")).toContain('"messages":[]');
  });
});

describe("Python's standard library", () => {
  it("publishes and polls with urllib, streams with http.client, and shakes hands with socket", async () => {
    const python = run("python3", ["-c", PYTHON, String(port)]);
    const told: string[] = [];
    for (let n = 0; n < 4; n++) told.push(await python.lines.next());
    expect(await python.done).toBe(0);
    expect(told).toEqual(["201", "hello", "data: again", "81 02 68 69"]);
  });
});

const PYTHON = `
import base64, http.client, json, os, socket, sys, urllib.request
port = int(sys.argv[1])
base = f"http://127.0.0.1:{port}/channels/py"
post = urllib.request.Request(base, data=b"hello", headers={"content-type": "text/plain"})
print(urllib.request.urlopen(post).status)
print(json.load(urllib.request.urlopen(base + "?since=earliest&wait=5"))["messages"][0]["data"])
stream = http.client.HTTPConnection("127.0.0.1", port)
stream.request("GET", "/channels/py", headers={"accept": "text/event-stream"})
answer = stream.getresponse()
assert answer.status == 200 and answer.readline().startswith(b"event: continuous")
urllib.request.urlopen(urllib.request.Request(base, data=b"again", headers={"content-type": "text/plain"}))
while True:
    line = answer.readline()
    if line.startswith(b"data: again"): break
print(line.decode().strip())
s = socket.create_connection(("127.0.0.1", port))
key = base64.b64encode(os.urandom(16)).decode()
s.sendall(f"GET /channels/ws HTTP/1.1\\r\\nHost: localhost\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Key: {key}\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n".encode())
head = b""
while b"\\r\\n\\r\\n" not in head: head += s.recv(1)
s.sendall(bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi")
frame = b""
while len(frame) < 4: frame += s.recv(4 - len(frame))
print(frame.hex(" "))
`;
