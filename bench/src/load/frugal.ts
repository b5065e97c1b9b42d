/**
 * Readers that cost little: each lets its messages gather in the system and takes them at once, now and then, and they
 * are counted by their bytes. So nearly all of the machine is left to the server.
 */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { monotonic } from "../readings.ts";
import { clientFrame } from "./client-frame.ts";
import type { FrugalOrder, FrugalReport } from "./order.ts";

/** Between two looks at all readers, ms: less than fills what the system holds for them. */
const LOOK = 200;
/** Connections that are opened at once. */
const OPENING = 100;

const order = JSON.parse(process.argv[2] ?? "{}") as FrugalOrder;
const payload = "x".repeat(order.size);
/** Of a message as it comes to a reader: a header without a mask. */
const bytesEach = clientFrame(payload).length - 4;
/** All read into it, one after the other: nobody looks at what it says. */
const buffer = Buffer.alloc(64 * 1024);
let bytes = 0;

/** @param heard Told how many bytes came; answers whether it goes on reading. */
function open(path: string, heard: (length: number) => boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let isOpen = false;
    const callback = (length: number): boolean => {
      if (isOpen) return heard(length);
      isOpen = true;
      if (buffer.toString("latin1", 0, length).startsWith("HTTP/1.1 101")) resolve(socket);
      else reject(new Error("It was refused."));
      return true;
    };
    // Only a socket that reads into a buffer of ours really stops reading.
    const socket = connect({
      port: order.port,
      host: "127.0.0.1",
      onread: { buffer, callback },
    });
    socket.once("error", reject);
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
  });
}

function openReader(n: number): Promise<Socket> {
  return open(`/channels/c${n % order.channels}`, (length) => {
    bytes += length;
    // What gathers meanwhile is read at the next look.
    return length === buffer.length;
  });
}

async function openReaders(): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < order.readers) {
    const some = Math.min(OPENING, order.readers - sockets.length);
    const opening = Array.from({ length: some }, (_, n) => openReader(sockets.length + n));
    sockets.push(...(await Promise.all(opening)));
  }
  return sockets;
}

/** A connection that does not wait for the answer to one publish before it sends the next. */
async function openPublisher(): Promise<Socket> {
  const socket = await open("/connect", () => true);
  socket.write(clientFrame('{"t":"hello","v":1}'));
  return socket;
}

async function publish(publishers: readonly Socket[]): Promise<never> {
  const began = monotonic();
  let published = 0;
  for (;;) {
    const due = ((monotonic() - began) * order.rate) / 1_000;
    for (; published < due; published++) {
      const socket = publishers[published % publishers.length];
      // What the server does not take any more is not offered.
      if (!socket || socket.writableNeedDrain) continue;
      const frame = {
        t: "publish",
        n: published,
        channel: `c${published % order.channels}`,
        kind: "text",
        data: payload,
      };
      socket.write(clientFrame(JSON.stringify({ ...frame, id: `p${published}`, at: Date.now() })));
    }
    await sleep(2);
  }
}

async function measure(): Promise<FrugalReport> {
  const before = { bytes, at: monotonic(), cpu: process.cpuUsage() };
  await sleep(order.seconds * 1_000);
  const seconds = (monotonic() - before.at) / 1_000;
  const { user, system } = process.cpuUsage(before.cpu);
  return {
    deliveries: (bytes - before.bytes) / bytesEach,
    seconds,
    load: (user + system) / 1e6 / seconds,
  };
}

const readers = await openReaders();
const publishers = await Promise.all(Array.from({ length: order.publishers }, openPublisher));
setInterval(() => {
  for (const socket of readers) socket.resume();
}, LOOK);
// It does not outlive the run.
process.on("disconnect", () => process.exit());
process.send?.("open");
process.once("message", () => {
  void publish(publishers);
  void sleep(order.warm * 1_000)
    .then(() => process.send?.("warm"))
    .then(measure)
    .then((report) => process.send?.(report));
});
