import { once } from "node:events";
import { mkdtempSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chain, listen, readJson, redirect, sendJson, serveFiles } from "../src/index.ts";

let server: Server;
let port: number;

beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), "site-"));
  mkdirSync(join(folder, "public"));
  writeFileSync(join(folder, "secret.json"), "{}");
  writeFileSync(join(folder, "public/index.html"), '<script type="importmap">{}</script>');
  writeFileSync(join(folder, "public/main.js"), "export {};");
  writeFileSync(join(folder, "public/.hidden"), "");
  const files = serveFiles({ "/app/": join(folder, "public") });
  server = createServer(
    chain(files, redirect("/", "/app/"), (req, res, next) => {
      if (req.url !== "/json") return next();
      void readJson(req, 20).then(
        (body) => sendJson(res, 200, body),
        (error: { status: number }) => sendJson(res, error.status, null),
      );
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

/** The path goes out as it is written: `fetch` would tidy `..` away. */
async function get(
  path: string,
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  const sent = request({ port, host: "127.0.0.1", path }).end();
  const [res] = (await once(sent, "response")) as [
    AsyncIterable<Buffer> & { statusCode: number; headers: object },
  ];
  const chunks: Buffer[] = [];
  for await (const chunk of res) chunks.push(chunk);
  return { status: res.statusCode, headers: { ...res.headers }, text: Buffer.concat(chunks).toString() };
}

async function post(body: string, type: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/json`, {
    method: "POST",
    body,
    headers: { "content-type": type },
  });
  return answer.status;
}

describe("the files of a site", () => {
  it("are served with their type, a folder by its index", async () => {
    expect(await get("/app/main.js")).toMatchObject({
      status: 200,
      text: "export {};",
      headers: { "content-type": "text/javascript; charset=utf-8", "x-content-type-options": "nosniff" },
    });
    expect(await get("/app/?as=Ada")).toMatchObject({
      status: 200,
      headers: { "content-type": "text/html; charset=utf-8" },
    });
  });

  it("do not lead out of their folder", async () => {
    const ways = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "x/../../", "..\\", "..%5c", "/", "%00/../"].map(
      (way) => `/app/${way}secret.json`,
    );
    expect((await Promise.all(ways.map((way) => get(way)))).map(({ status }) => status)).toEqual(
      ways.map(() => 404),
    );
  });

  it("are not those that have no type, and a broken path is none", async () => {
    expect([
      (await get("/app/.hidden")).status,
      (await get("/app/%zz")).status,
      (await get("/app/none.js")).status,
    ]).toEqual([404, 404, 404]);
  });

  it("let no script run that is not a file, but for the page's import map", async () => {
    const { headers } = await get("/app/");
    expect(headers["content-security-policy"]).toMatch(/script-src 'self' 'sha256-[^']+';/);
  });

  it("are found without the slash too, and from the root", async () => {
    expect(await get("/app")).toMatchObject({ status: 302, headers: { location: "/app/" } });
    expect(await get("/")).toMatchObject({ status: 302, headers: { location: "/app/" } });
  });
});

describe("a JSON body", () => {
  it("is refused as another type, too long, or malformed", async () => {
    expect(await post('{"a":1}', "application/json")).toBe(200);
    expect(await post('{"a":1}', "text/plain")).toBe(415);
    expect(await post(`"${"x".repeat(20)}"`, "application/json")).toBe(413);
    expect(await post("{", "application/json")).toBe(400);
  });
});

describe("listening", () => {
  it("takes the next port where one is taken, and says so", async () => {
    const said: string[] = [];
    const second = createServer();
    const url = await listen(second, port, (line) => said.push(line));
    second.close();
    expect(said[0]).toBe(`Port ${port} is taken; trying ${port + 1}.`);
    expect(Number(new URL(url).port)).toBeGreaterThan(port);
  });
});
