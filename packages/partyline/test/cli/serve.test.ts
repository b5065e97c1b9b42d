import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import { createHttp2Fetch } from "../support/http2-fetch.ts";
import { ask } from "../transport/ask.ts";
import { freePort } from "../support/free-port.ts";
import { HELLO, listen, talk } from "../support/peers.ts";
import { runCli, startCli, startServer } from "./support.ts";

async function post(url: string, token?: string): Promise<number> {
  const { status } = await fetch(`${url}/channels/chat`, {
    method: "POST",
    body: "hello",
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  return status;
}

describe("serve", () => {
  it("lets everybody subscribe, and publish with the token that it printed", async () => {
    await using server = await startServer([]);
    const [, token = ""] = await server.until("stdout", /made\s+for\s+this\s+run[^:]*:\s+(\S+)\n/);
    expect(token.length).toBeGreaterThanOrEqual(32);
    expect(await post(server.url)).toBe(403);
    expect(await post(server.url, "wrong")).toBe(401);
    expect(await post(server.url, token)).toBe(201);
    const common = ["--url", server.url];
    expect((await runCli(["publish", "chat", "x", ...common])).code).toBe(1);
    expect((await runCli(["publish", "chat", "x", "--token", "wrong", ...common])).code).toBe(1);
    expect(
      (await runCli(["publish", "chat", "two", ...common], { env: { PARTYLINE_TOKEN: token } })).code,
    ).toBe(0);
    const read = await runCli(["subscribe", "chat", "--since", "earliest", "--count", "2", ...common]);
    expect(read).toMatchObject({ code: 0, stdout: "hello\ntwo\n" });
  });

  it("takes the token of PARTYLINE_TOKEN and does not print it", async () => {
    await using server = await startServer([], { PARTYLINE_TOKEN: "a-secret-of-my-own" });
    await server.until("stdout", /token\s+in\s+PARTYLINE_TOKEN/);
    expect(await post(server.url, "a-secret-of-my-own")).toBe(201);
    server.kill("SIGTERM");
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain("a-secret-of-my-own");
  });

  it("lets everybody publish with --open, and listens to this machine alone", async () => {
    await using server = await startServer();
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
    await server.until("stdout", /Everybody on this machine may\s+subscribe\s+and\s+publish/);
    expect(await post(server.url)).toBe(201);
  });

  it("keeps as many messages as --retention says", async () => {
    await using server = await startServer(["--open", "--retention", "2"]);
    await runCli(["publish", "few", "--url", server.url], { input: "a\nb\nc\nd\n" });
    const answer = await fetch(`${server.url}/channels/few?since=earliest`);
    const { messages } = (await answer.json()) as { messages: { data: string }[] };
    expect(messages.map(({ data }) => data)).toEqual(["c", "d"]);
  });

  it("refuses pages of other origins but those of --origin", async () => {
    await using server = await startServer(["--open", "--origin", "http://app.example"]);
    const status = async (origin: string): Promise<number> =>
      (await fetch(`${server.url}/channels/chat`, { headers: { origin } })).status;
    expect(await Promise.all(["http://app.example", "http://evil.example"].map(status))).toEqual([200, 403]);
  });

  it.for([
    ["SIGINT", []],
    ["SIGTERM", ["--drain", "0"]],
  ] as const)("ends at %s with open connections, at once and with 0: %j", async ([signal, args]) => {
    await using server = await startServer(["--open", ...args]);
    await using reader = startCli(["subscribe", "chat", "--since", "earliest", "--url", server.url]);
    await runCli(["publish", "chat", "hello", "--url", server.url]);
    await reader.until("stdout", /hello/);
    const stream = await fetch(`${server.url}/channels/chat`, { headers: { accept: "text/event-stream" } });
    server.kill(signal);
    expect(await server.ended).toMatchObject({ code: 0, stderr: "" });
    await stream.body?.cancel().catch(() => undefined);
    await reader.until("stderr", /connection lost, trying again/);
  });

  it.for(["1", "2"])(
    "lets its clients go at SIGTERM, and ends when they have: workers %s",
    async (workers) => {
      await using server = await startServer(["--open", "--drain", "600", "--workers", workers]);
      const stream = await listen(`${server.url}/channels/chat`);
      await stream.next();
      const peer = await talk(server.url, HELLO);
      server.kill("SIGTERM");
      expect(await peer.next()).toMatchObject({ t: "drain" });
      expect((await fetch(`${server.url}/connect/ready`)).status).toBe(503);
      peer.leave();
      expect(await stream.next()).toMatchObject({ event: "drain" });
      const { code, stderr } = await server.ended;
      expect([code, stderr.split(";")[0]]).toEqual([0, "2 connections to be let go within 600 s"]);
    },
  );

  it.for(["1", "2"])("lets its clients go although nobody reads its output: workers %s", async (workers) => {
    await using server = await startServer(["--open", "--drain", "600", "--workers", workers]);
    server.closeErrors();
    server.closeOutput();
    const peer = await talk(server.url, HELLO);
    server.kill("SIGTERM");
    expect(await peer.next()).toMatchObject({ t: "drain" });
    peer.leave();
    expect((await server.ended).code).toBe(0);
  });

  it("goes on when a worker dies although nobody reads its output", async () => {
    const script = `
      import cluster from "node:cluster";
      import { once } from "node:events";
      import { runWorkers } from ${JSON.stringify(new URL("../../src/workers/index.ts", import.meta.url).href)};
      import { createPartyline } from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)};
      const workers = await runWorkers(async (broker) => {
        const server = createPartyline({ broker });
        await server.listen(0);
        return server;
      }, { workers: 1 });
      if (cluster.isPrimary) {
        const [worker] = Object.values(cluster.workers);
        const next = once(cluster, "fork");
        process.send("up");
        await once(process, "message");
        worker.process.kill("SIGKILL");
        await once(worker, "exit");
        await next;
        process.send("replaced");
        await workers.close();
        process.disconnect();
      }`;
    const folder = await mkdtemp(join(tmpdir(), "partyline-"));
    const file = join(folder, "main.mts");
    await writeFile(file, script);
    try {
      const child = fork(file, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
      const ended = once(child, "close");
      expect(await once(child, "message")).toContain("up");
      child.stderr?.destroy();
      child.send("go");
      expect(await once(child, "message")).toContain("replaced");
      expect(await ended).toEqual([0, null]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("serves although its output is closed before the banner", async () => {
    const port = await freePort();
    await using server = startCli(["serve", "--open", "--port", String(port)]);
    server.closeOutput();
    const url = `http://127.0.0.1:${port}`;
    while (!(await fetch(`${url}/connect/ready`).catch(() => undefined))?.ok)
      await new Promise((resolve) => setImmediate(resolve));
    const peer = await talk(url, HELLO);
    server.kill("SIGTERM");
    expect(await peer.next()).toMatchObject({ t: "drain" });
    peer.leave();
    expect((await server.ended).code).toBe(0);
  });

  it("ends with 0 when the time is up, whoever is left", async () => {
    await using server = await startServer(["--open", "--drain", "0.1"]);
    const peer = await talk(server.url, HELLO);
    server.kill("SIGTERM");
    expect(await peer.next()).toMatchObject({ t: "drain" });
    expect(await peer.closed).toBe(4503);
    expect((await server.ended).code).toBe(0);
  });

  it.for([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("ends at once at a second signal, %s", async ([signal, code]) => {
    await using server = await startServer(["--open", "--drain", "600"]);
    const peer = await talk(server.url, HELLO);
    server.kill("SIGTERM");
    expect(await peer.next()).toMatchObject({ t: "drain" });
    server.kill(signal);
    expect((await server.ended).code).toBe(code);
  });

  it("says that a port is taken, also one that workers share", async () => {
    await using server = await startServer(["--workers", "2"]);
    for (const workers of ["1", "2"]) {
      const second = await runCli(["serve", "--port", server.port, "--workers", workers]);
      expect(second).toMatchObject({ code: 1, stdout: "" });
      expect(second.stderr).toContain(`Port ${server.port} is taken.`);
    }
  });

  it("gives all workers the token that it printed, and the limits that it was given", async () => {
    await using server = await startServer(["--workers", "2", "--retention", "2"]);
    const [, token = ""] = await server.until("stdout", /made\s+for\s+this\s+run[^:]*:\s+(\S+)\n/);
    // The system shares out connections: each `fetch` beside others is one of its own.
    const posts = await Promise.all(Array.from({ length: 12 }, () => post(server.url, token)));
    expect(new Set(posts)).toEqual(new Set([201]));
    const answer = await fetch(`${server.url}/channels/chat?since=earliest`);
    const { messages } = (await answer.json()) as { messages: { offset: number }[] };
    expect(messages).toHaveLength(2);
  });

  it("warns once that any host name is answered, however many workers there are", async () => {
    await using server = await startServer(["--open", "--host", "0.0.0.0", "--workers", "3"]);
    server.kill("SIGINT");
    expect((await server.ended).stderr.match(/any host name/g)).toHaveLength(1);
  });

  it("ends where its workers can't start, with what one of them said", async () => {
    await using files = await certificateFiles();
    const args = ["--tls-cert", files.cert, "--tls-key", files.otherKey, "--workers", "3"];
    const { code, stdout, stderr } = await runCli(["serve", "--port", "0", ...args]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.match(/--tls-key is not the key of --tls-cert/g)).toHaveLength(1);
  });

  it("refuses an empty --host, which would be every address", async () => {
    const { code, stderr } = await runCli(["serve", "--open", "--host", ""]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("It is an address of this machine")]);
  });

  it("guards loopback however --host spells it", async () => {
    await using server = await startServer(["--open", "--host", "0x7f000001"]);
    await server.until("stdout", /Everybody on this machine may/);
    const { hostname, port } = new URL(server.url);
    expect(hostname).toBe("127.0.0.1");
    const headers = { host: "evil.example" };
    expect((await ask(Number(port), "/channels/a", { headers })).status).toBe(421);
  });

  it("lets pages of apps connect with --origin", async () => {
    await using server = await startServer(["--open", "--origin", "capacitor://localhost"]);
    const headers = { origin: "capacitor://localhost" };
    expect((await fetch(`${server.url}/channels/chat`, { headers })).status).toBe(200);
  });

  it("answers to the names of --hostname, and to no other", async () => {
    await using server = await startServer(["--open", "--hostname", "app.example"]);
    const status = async (host: string): Promise<number> =>
      (await ask(Number(server.port), "/channels/chat", { headers: { host } })).status;
    expect(await Promise.all(["app.example", "app.example:8080", "localhost"].map(status))).toEqual([
      200, 200, 421,
    ]);
  });

  it("speaks TLS, HTTP/2 and HTTP/1.1, with --tls-cert and --tls-key", async () => {
    await using files = await certificateFiles();
    await using server = await startServer(["--open", "--tls-cert", files.cert, "--tls-key", files.key]);
    expect(server.url).toMatch(/^https:/);
    await using http2 = createHttp2Fetch();
    const posted = await http2.fetch(`${server.url}/channels/chat`, { method: "POST", body: "hello" });
    expect([posted.status, http2.session(server.url).alpnProtocol]).toEqual([201, "h2"]);
    // Our own client trusts what Node trusts.
    const env = { NODE_EXTRA_CA_CERTS: files.cert };
    const common = ["chat", "--since", "earliest", "--count", "1", "--url", server.url];
    expect(await runCli(["subscribe", ...common], { env })).toMatchObject({ code: 0, stdout: "hello\n" });
  });

  it("says what is wrong with a certificate or its key", async () => {
    await using files = await certificateFiles();
    const { cert, key } = files;
    for (const [args, code, said] of [
      [["--tls-cert", cert], 2, "TLS needs a certificate and its key."],
      [["--tls-cert", cert, "--tls-key", "/nowhere"], 1, "There is no file /nowhere (--tls-key)."],
      [["--tls-cert", cert, "--tls-key", "/"], 1, "Nothing can be read from / (--tls-key)."],
      [["--tls-cert", key, "--tls-key", key], 1, "--tls-cert is no certificate in PEM."],
      [["--tls-cert", cert, "--tls-key", files.otherKey], 1, "--tls-key is not the key of --tls-cert."],
    ] as const) {
      const run = await runCli(["serve", "--port", "0", ...args]);
      expect(run).toMatchObject({ code, stdout: "" });
      expect(run.stderr).toContain(said);
    }
  });
});

/** A certificate, its key and the key of another one, in files. */
async function certificateFiles(): Promise<
  AsyncDisposable & Readonly<Record<"cert" | "key" | "otherKey", string>>
> {
  const folder = await mkdtemp(join(tmpdir(), "partyline-"));
  const { cert, key } = makeCertificate();
  const contents = { cert, key, otherKey: makeCertificate().key };
  for (const [name, text] of Object.entries(contents)) await writeFile(join(folder, name), text);
  return {
    cert: join(folder, "cert"),
    key: join(folder, "key"),
    otherKey: join(folder, "otherKey"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
