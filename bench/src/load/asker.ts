/** Publishes as fast as it is answered, over some connections, in a process of its own. Tells {@link Answers}. */
import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { cpuMicroseconds } from "../usage.ts";
import { percentile } from "../readings.ts";
import { clientFrame } from "./client-frame.ts";
import { FrameCounter, Sampler } from "./counters.ts";
import { message } from "./message.ts";
import type { Answers, AskOrder } from "./order.ts";
import { answerStatus } from "./publishers.ts";

const order = JSON.parse(process.argv[2] ?? "{}") as AskOrder;
const text = message(0, order.size);
const request = Buffer.from(
  `POST ${order.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
);
const REFUSED = ['"t":"error"', "HTTP/1.1 4", "HTTP/1.1 5"];

let answers = 0;
let refused = 0;
let latencies: number[] = [];

/** Calls `answered` for each answer of a socket. */
function onAnswers(socket: Socket, answered: () => void): void {
  if (order.wire) {
    const counter = new FrameCounter(new Sampler(() => 0));
    socket.on("data", (chunk: Buffer) => {
      for (let count = counter.read(chunk); count > 0; count--) answered();
      if (REFUSED.some((sign) => chunk.includes(sign))) refused += 1;
    });
    return;
  }
  let answer = "";
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString("latin1");
    const status = answerStatus(answer);
    if (status === undefined) return;
    if (status >= 300) refused += 1;
    answer = "";
    answered();
  });
}

/** Opens a connection; resolves when the first question can be asked. */
async function open(index: number): Promise<Socket> {
  const socket = connect(order.port, "127.0.0.1").setNoDelay(true);
  const { wire } = order;
  if (!wire) {
    await new Promise((resolve) => socket.once("connect", resolve));
    return socket;
  }
  const came = async (sign: string): Promise<void> => {
    for (let all = ""; !all.includes(sign);) {
      all += await new Promise<string>((resolve) => {
        socket.once("data", (chunk: Buffer) => resolve(chunk.toString("latin1")));
      });
    }
  };
  socket.write(wire.opening);
  await came(wire.opened);
  if (wire.subscribe) {
    socket.write(clientFrame(wire.subscribe.say.replaceAll("{channel}", String(index))));
    await came(wire.subscribe.answer);
  }
  return socket;
}

function ask(socket: Socket, index: number): void {
  const [before = "", afterN = "", afterId = "", afterNow = ""] = (order.wire?.says ?? "")
    .replaceAll("{channel}", "0")
    .replace("{message}", text)
    .split(/\{n\}|\{id\}|\{now\}/);
  let n = 0;
  let asked = 0;
  const next = (): void => {
    n += 1;
    asked = performance.now();
    socket.write(
      order.wire
        ? clientFrame(`${before}${n}${afterN}${index}-${n}${afterId}${Date.now()}${afterNow}`)
        : request,
    );
  };
  onAnswers(socket, () => {
    answers += 1;
    latencies.push(performance.now() - asked);
    next();
  });
  next();
}

const sockets = await Promise.all(Array.from({ length: order.connections }, (_, index) => open(index)));
for (const [index, socket] of sockets.entries()) ask(socket, index);
await setTimeout(order.warm * 1_000);
[answers, refused, latencies] = [0, 0, []];
const [began, cpu, mine] = [performance.now(), cpuMicroseconds(order.server), process.cpuUsage()];
await setTimeout(order.seconds * 1_000);
const used = process.cpuUsage(mine);
const spent = performance.now() - began;
const result: Answers = {
  answers,
  refused,
  seconds: spent / 1_000,
  cpu: cpuMicroseconds(order.server) - cpu,
  load: (used.user + used.system) / 1_000 / spent,
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
};
process.send?.(result, () => process.exit());
