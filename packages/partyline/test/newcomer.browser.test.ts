/**
 * The first day with partyline: the README's server and page as they stand there, but for the ports, the page in Vite's
 * development server.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chromiumOptions } from "../../../scripts/chromium.ts";
import { freePort } from "./support/free-port.ts";
import { packageFolder, repository } from "./support/source.ts";
import { until } from "./support/until.ts";

const VITE = join(repository, "node_modules/vite/bin/vite.js");
const PAGE =
  '<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="/main.ts"></script>';

let browser: Browser;
let folder: string;
/** Ended also if a test fails. */
const children: ChildProcess[] = [];

beforeAll(async () => {
  browser = await chromium.launch(chromiumOptions());
  // Inside the package, so that it is found by its own name, as built.
  await mkdir(join(packageFolder, "test/.readme"), { recursive: true });
  folder = await mkdtemp(join(packageFolder, "test/.readme/newcomer-"));
});

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

/** The README's code behind `<!-- test: name -->`. */
async function block(name: string): Promise<string> {
  const readme = await readFile(join(repository, "README.md"), "utf8");
  const [, code] = new RegExp(`<!-- test: ${name} -->\\s+\`\`\`ts\\n(.*?)\`\`\``, "s").exec(readme) ?? [];
  if (code === undefined) throw new Error(`README.md has no block marked "test: ${name}".`);
  return code;
}

/** Runs a program until `until` is in its output, and goes on to read that. */
async function run(ready: string, folder: string, ...args: string[]) {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], { cwd: folder });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = once(child, "close");
  await until(() => output.includes(ready));
  return {
    get output() {
      return output;
    },
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A page in Vite's development server, and what its console says. */
async function openPage(port: number) {
  const root = await mkdtemp(join(folder, "page-"));
  await writeFile(join(root, "index.html"), PAGE);
  await writeFile(join(root, "main.ts"), (await block("client")).replaceAll("8080", String(port)));
  const vitePort = await freePort();
  const vite = await run("ready in", root, VITE, "--port", String(vitePort), "--strictPort");
  const page = await browser.newPage();
  const lines: string[] = [];
  page.on("console", (message) => lines.push(message.text()));
  page.on("pageerror", (error) => lines.push(`uncaught: ${error.message}`));
  const origin = `http://localhost:${vitePort}`;
  return {
    origin,
    lines,
    open: () => page.goto(origin),
    async [Symbol.asyncDispose]() {
      await page.close();
      await vite.stop();
    },
  };
}

/** The README's server. @param vite Replaces the port of Vite that stands there. */
async function startServer(port: number, vite = "5173") {
  const file = join(folder, `server-${port}-${vite}.ts`);
  const code = (await block("server")).replaceAll("8080", String(port)).replaceAll("5173", vite);
  await writeFile(file, `${code}\nconsole.log("listening");\n`);
  return run("listening", packageFolder, file);
}

const publish = (port: number, text: string): Promise<Response> =>
  fetch(`http://localhost:${port}/channels/chat/general`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });

it("a page on another port is told by its console what to set, and so is the server's log", async () => {
  const port = await freePort();
  const server = await startServer(port);
  await using page = await openPage(port);
  await page.open();
  const remedy = `origins: [${JSON.stringify(page.origin)}]`;
  await until(() => page.lines.some((line) => line.includes(remedy)) && server.output.includes(page.origin));
  await until(() => page.lines.includes("connecting undefined"));
  expect(page.lines.filter((line) => line.includes(remedy))).toHaveLength(1);
  expect(server.output.split("\n").filter((line) => line.includes(page.origin))).toEqual([
    expect.stringContaining("origins"),
  ]);
  await server.stop();
});

it("a page connects, and after a restart of the server it has what is published, and shows the gap", async () => {
  const port = await freePort();
  await using page = await openPage(port);
  const vite = new URL(page.origin).port;
  const server = await startServer(port, vite);
  await page.open();
  await until(() => page.lines.includes("hello"));
  expect(page.lines).toContain("live ws");
  await publish(port, "before the restart");
  await until(() => page.lines.includes("before the restart"));
  await server.stop();
  await until(() => page.lines.some((line) => line.startsWith("reconnecting")));

  const restarted = await startServer(port, vite);
  await until(() => page.lines.filter((line) => line.startsWith("live")).length === 2);
  await publish(port, "after the restart");
  await until(() => page.lines.includes("after the restart"));
  expect(page.lines.filter((line) => line.includes("missing"))).toEqual(["some messages are missing: epoch"]);
  // That the server is away is no reason to doubt its options: the page was let in before.
  expect(page.lines.filter((line) => /^uncaught|origins/.test(line))).toEqual([]);
  expect(page.lines.indexOf("some messages are missing: epoch")).toBeLessThan(
    page.lines.indexOf("after the restart"),
  );
  await restarted.stop();
});
