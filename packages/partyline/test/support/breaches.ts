import type { WebSocket } from "ws";
import { createMemoryBroker } from "../../src/brokers/memory/index.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { createPartyline, type Partyline } from "../../src/server.ts";
import { createVirtualClock } from "../../src/testing/virtual-clock.ts";
import { type Ask, ask } from "../transport/ask.ts";
import { deferred } from "../transport/probe.ts";
import { openSocket } from "../transport/websocket-probes.ts";
import { silent } from "./line-rig.ts";

export interface Rig {
  readonly server: Partyline;
  readonly port: number;
  readonly url: string;
}

/** What tells of the breach: the code of a refusal, or that with which the connection was closed. */
export type Outcome = string | number;

export interface Breach {
  readonly limits: Partial<Limits>;
  readonly is: Outcome;
  readonly how: string;
  /** The last that is allowed, then what is too much. */
  provoke(rig: Rig): Promise<readonly [allowed: Outcome, refused: Outcome]>;
}

const ends: (() => unknown)[] = [];

/** Does this when the test has ended, the newest first. */
export function onEnd(end: () => unknown): void {
  ends.push(end);
}

export async function endAll(): Promise<void> {
  for (const end of ends.splice(0).toReversed()) await end();
}

/** A server whose broker lets publishes to the channel `slow` wait until the end. */
export async function start(limits: Partial<Limits>): Promise<Rig> {
  const memory = createMemoryBroker(limits.logBytes === undefined ? {} : { maxBytes: limits.logBytes });
  const late = deferred<void>();
  const server = createPartyline({
    limits,
    logger: silent,
    retention: { bytes: 64 * 1024 * 1024 },
    broker: {
      ...memory,
      async append(spec, messages) {
        if (spec.name === "slow") await late.promise;
        return memory.append(spec, messages);
      },
    },
  });
  onEnd(() => server.close());
  const { port, url } = await server.listen(0);
  // What waits for the broker is answered before the server ends.
  onEnd(() => late.resolve());
  return { server, port, url };
}

export const HELLO = '{"t":"hello","v":1}';
export const STREAM = { accept: "text/event-stream" };

/** `fine`, or the code of the refusal. */
export const codeIn = (text: string): string => /"code":"([a-z-]+)"/.exec(text)?.[1] ?? "fine";

export async function outcome(rig: Rig, path: string, request?: Ask): Promise<string> {
  return codeIn((await ask(rig.port, path, request)).body);
}

export const post = (rig: Rig, path: string, body: string): Promise<string> =>
  outcome(rig, path, { method: "POST", body });

/** A connection that stays, or the code of its refusal. */
export async function stay(open: Promise<WebSocket>): Promise<string> {
  try {
    const socket = await open;
    onEnd(() => socket.terminate());
    return "fine";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** `fine` where a line comes back for each frame, else the code of the close. A frame may come in fragments. */
export async function say(
  rig: Rig,
  path: string,
  ...frames: readonly (string | readonly string[])[]
): Promise<Outcome> {
  const socket = await openSocket(`${rig.url}${path}`);
  onEnd(() => socket.terminate());
  return new Promise((resolve) => {
    socket.on("close", resolve);
    let heard = 0;
    socket.on("message", (data: Buffer) => {
      heard += data.toString().split("\n").length;
      if (heard === frames.length) resolve("fine");
    });
    for (const frame of frames) {
      if (typeof frame === "string") socket.send(frame);
      else
        for (const [index, piece] of frame.entries()) socket.send(piece, { fin: index === frame.length - 1 });
    }
  });
}

export const pings = (count: number): string =>
  Array.from({ length: count }, (_, n) => `{"t":"ping","n":${n + 1}}`).join("\n");
export const attach = (n: number): string => `{"t":"attach","n":${n},"channel":"c${n}"}`;

/** A frame of this many bytes on `/connect`. */
export const frameOf = (bytes: number): string => {
  const empty = '{"t":"ping","n":1,"x":""}';
  return `${empty.slice(0, -2)}${"x".repeat(bytes - empty.length)}"}`;
};

/** Publishes a body that arrives at this rate for 30 s of virtual time. @returns `fine`, or the code of the refusal. */
export async function uploadSlowly(limits: Partial<Limits>, bytesPerSecond: number): Promise<string> {
  const clock = createVirtualClock();
  const server = createPartyline({ clock, limits });
  let send: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (send = controller) });
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  let answered = false;
  const answer = server.fetch(new Request("http://localhost/channels/a", init));
  void answer.then(() => (answered = true));
  for (let second = 0; second < 30 && !answered; second++) {
    send?.enqueue(new Uint8Array(bytesPerSecond));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
  }
  if (!answered) send?.close();
  return codeIn(await (await answer).text());
}
