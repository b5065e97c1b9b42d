import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type NetworkLine, openLine } from "./network-line.ts";

/** A server that says its name and then whatever it hears. */
async function startEcho(name: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined).write(name);
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

let echo: Server;
let line: NetworkLine;
const clients: Socket[] = [];

beforeEach(async () => {
  echo = await startEcho("echo:");
  line = await openLine(portOf(echo));
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await line.close();
  echo.close();
});

function open(): Socket {
  const client = connect({ port: line.port, host: "127.0.0.1", allowHalfOpen: true });
  client.on("error", () => undefined);
  clients.push(client);
  return client;
}

/** Resolves when so much has been heard. */
async function hear(client: Socket, text: string): Promise<void> {
  let heard = "";
  while (heard !== text) heard += ((await once(client, "data")) as [Buffer])[0].toString();
}

describe("a line over TCP", () => {
  it("carries bytes, also cut into pieces, late and slowly", async () => {
    line.split(2);
    line.delay(2);
    line.throttle(100_000);
    const client = open();
    await hear(client, "echo:");
    client.write("every byte of it");
    await hear(client, "every byte of it");
  });

  it("breaks, is refused, and comes back", async () => {
    const client = open();
    await hear(client, "echo:");
    line.unplug();
    await once(client, "end");
    const refused = open();
    await new Promise((resolve) => refused.once("close", resolve));
    line.mend();
    await hear(open(), "echo:");
    expect(line.connections).toBe(1);
  });

  it("lets a held answer through when it is mended", async () => {
    line.buffer();
    const client = open();
    client.write("later");
    // The other way is open: the server has answered before this is here.
    const other = await openLine(portOf(echo));
    const free = connect(other.port, "127.0.0.1");
    await hear(free, "echo:");
    free.destroy();
    await other.close();
    expect(client.bytesRead).toBe(0);
    line.mend();
    await hear(client, "echo:later");
  });

  it("ends one way alone", async () => {
    const client = open();
    await hear(client, "echo:");
    line.halfClose();
    await once(client, "end");
    expect(line.connections).toBe(1);
    expect(client.writable).toBe(true);
  });

  it("leads new connections to another server", async () => {
    const other = await startEcho("other:");
    line.leadTo(portOf(other));
    const client = open();
    await hear(client, "other:");
    client.destroy();
    other.close();
  });

  it("tells the server nothing of a connection that is opened in a black hole", async () => {
    const accepted: Socket[] = [];
    echo.on("connection", (socket) => accepted.push(socket));
    line.blackhole();
    const lost = open();
    await expect.poll(() => line.connections).toBe(1);
    line.mend();
    await hear(open(), "echo:");
    expect([accepted.length, line.connections]).toEqual([1, 2]);
    line.cut();
    await once(lost.resume(), "end");
    expect(lost.bytesRead).toBe(0);
  });

  it("ends, also with connections that nobody answers", async () => {
    line.blackhole();
    const client = open();
    await once(client, "connect");
    await line.close();
    expect(line.connections).toBe(0);
  });
});
