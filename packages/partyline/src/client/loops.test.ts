/** Servers, and things in their place, whose every response would make a client ask again at once. */
import { describe, expect, it } from "vitest";
import { attachedAt, createClientRig, EPOCH, messageAt, WELCOME } from "../testing/client-rig.ts";
import type { Frame } from "../testing/scripted-websocket.ts";
import { createScriptedHttp, settleStreams } from "../testing/scripted-fetch.ts";

const DRAIN: Frame = { t: "drain", within: 25_000 };
const mark = (offset: number): Frame => ({ t: "mark", c: 3, position: `${EPOCH}:${offset}`, time: 1 });
const refusal = (retryAfter: unknown): Frame => ({
  t: "error",
  code: "overloaded",
  message: "",
  remedy: "",
  retryAfter,
});

/**
 * Plays 60 s in steps of 50 ms with a client that reads a channel. `serve` is called with each new socket, and in each
 * step with the commands that came on the newest one.
 */
async function play(
  serve: (
    open: boolean,
    commands: Frame[],
    say: (...frames: Frame[]) => void,
    close: (code: number) => void,
  ) => void,
) {
  const rig = createClientRig();
  const got: number[] = [];
  rig.client.channel("a").on("message", ({ offset }) => got.push(offset));
  let count = 0;
  let attaches = 0;
  for (let step = 0; step < 1_200; step++) {
    await rig.settle();
    const { socket } = rig;
    const say = (...more: Frame[]): void => socket.say(...more);
    const close = (code: number): void => socket.close(code);
    const isNew = rig.sockets.length > count;
    count = rig.sockets.length;
    if (isNew) socket.open();
    for (
      let frames = socket.take(), opens = isNew;
      opens || frames.length > 0;
      frames = socket.take(), opens = false
    ) {
      attaches += frames.filter(({ t }) => t === "attach").length;
      for (const { t, n } of frames) if (t === "ping") socket.say({ t: "pong", n });
      serve(opens, frames, say, close);
      await rig.settle();
      if (rig.socket !== socket || attaches > 10_000) break;
    }
    rig.clock.advance(50);
  }
  await rig.client.close();
  return { sockets: rig.sockets.length, attaches, got };
}

describe("a WebSocket that", () => {
  it("ends at once is tried again with backoff", async () => {
    const { sockets } = await play((opens, _commands, _say, close) => opens && close(1000));
    expect(sockets).toBeLessThan(12);
  });

  it.each([1000, 1006, 1008, 4000, 4503])(
    "ends with %i right after its welcome is tried again with backoff [CLOSE-4]",
    async (code) => {
      const { sockets } = await play((opens, _commands, say, close) => {
        if (opens) say(WELCOME);
        close(code);
      });
      expect(sockets).toBeLessThan(12);
    },
  );

  it("drains right after each welcome is left with backoff [CLOSE-4]", async () => {
    const { sockets } = await play((opens, _commands, say) => opens && say(WELCOME, DRAIN));
    expect(sockets).toBeGreaterThan(3);
    expect(sockets).toBeLessThan(14);
  });

  it.each([2_160_000, -5, 0, "soon", null, {}])(
    "refuses with a retryAfter of %j is tried again with backoff [CLOSE-5]",
    async (retryAfter) => {
      const { sockets } = await play((opens, _commands, say, close) => {
        if (opens) say(refusal(retryAfter));
        close(4503);
      });
      expect(sockets).toBeLessThan(12);
    },
  );

  it.each([
    ["without a time", { time: undefined }],
    ["with a time that is no number", { time: "now" }],
    ["with messages of 0 bytes", { limits: { messageBytes: 0 } }],
    ["without limits", { limits: undefined }],
  ])("says welcome %s is a failed attempt [CLOSE-5]", async (_, wrong) => {
    const rig = createClientRig();
    await rig.settle();
    rig.socket.open();
    rig.socket.say({ ...WELCOME, ...wrong });
    rig.clock.advance(10_000);
    expect(rig.client.state).toMatchObject({ status: "connecting", reason: { code: "offline" } });
  });
});

describe("a channel", () => {
  const answerAttaches = (commands: Frame[], say: (...frames: Frame[]) => void, ...more: Frame[]): void => {
    for (const { t, n } of commands) if (t === "attach") say(attachedAt(n as number, 7), ...more);
    for (const { t, n } of commands) if (t === "detach") say({ t: "result", n });
  };

  it("whose marks are always ahead of its head is attached again with backoff [CLOSE-4]", async () => {
    const { attaches } = await play((opens, commands, say) => {
      if (opens) say(WELCOME);
      answerAttaches(commands, say, mark(9));
    });
    expect(attaches).toBeGreaterThan(3);
    expect(attaches).toBeLessThan(16);
  });

  it("that is detached right after each attach is attached again with backoff [CLOSE-4]", async () => {
    const { attaches } = await play((opens, commands, say) => {
      if (opens) say(WELCOME);
      answerAttaches(commands, say, { t: "detached", c: 3, code: "overloaded" });
    });
    expect(attaches).toBeLessThan(16);
  });

  it("that is refused with a retryAfter of 25 days is attached again after an hour [CLOSE-5]", async () => {
    const rig = createClientRig();
    const channel = rig.client.channel("a");
    channel.on("message", () => undefined);
    await rig.welcome();
    rig.socket.say({ ...refusal(2_160_000), n: 1 });
    expect(channel.state.error?.retryAfter).toBe(3_600);
  });

  it("whose mark was ahead once reads on at once when the missing message comes", async () => {
    const { attaches, got } = await play((opens, commands, say) => {
      if (opens) say(WELCOME);
      for (const { t, n } of commands)
        if (t === "attach") say(attachedAt(n as number, 7), ...(n === 1 ? [mark(8)] : [messageAt(8)]));
    });
    expect([attaches, got]).toEqual([2, [8]]);
  });
});

it.each([1, 2])(
  "an event stream that ends right after its %i. welcome is opened again with backoff [CLOSE-4]",
  async (frames) => {
    const http = createScriptedHttp();
    const rig = createClientRig({ transports: ["sse"], fetch: http.fetch });
    let served = 0;
    for (let step = 0; step < 1_200; step++) {
      await settleStreams();
      for (const request of http.requests.slice(served)) {
        for (let frame = 0; frame < frames; frame++) request.say(WELCOME);
        request.end();
      }
      served = http.requests.length;
      rig.clock.advance(50);
    }
    expect(http.requests.length).toBeLessThan(12);
    await rig.client.close();
  },
);
