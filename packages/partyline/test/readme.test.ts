/** What the README shows is run as it stands there, but for the port. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "./support/free-port.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const packageRoot = join(root, "packages/partyline");

/** The code block that follows `<!-- test: name -->`. */
async function block(name: string, port: number): Promise<string> {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const match = new RegExp(`<!-- test: ${name} -->\\s+\`\`\`\\w*\\n(.*?)\`\`\``, "s").exec(readme);
  if (!match?.[1]) throw new Error(`README.md has no block marked "test: ${name}".`);
  return match[1].replaceAll("8080", String(port));
}

/** Runs a program until its output holds `until`, or it ends. */
async function outputOf(child: ChildProcess, until?: RegExp): Promise<string> {
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (until?.test(output)) resolve(output);
    });
    child.once("close", () => resolve(output));
  });
}

describe("the README", () => {
  const running: ChildProcess[] = [];
  let folder = "";
  let port = 0;

  const node = (file: string, ...args: string[]): ChildProcess => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args], {
      cwd: packageRoot,
    });
    running.push(child);
    return child;
  };

  const script = async (name: string, more = ""): Promise<ChildProcess> => {
    // Inside the package, so that it is found by its own name, as built.
    const file = join(folder, `${name}.ts`);
    await writeFile(file, `${await block(name, port)}\n${more}`);
    return node(file);
  };

  beforeAll(async () => {
    await mkdir(join(packageRoot, "test/.readme"), { recursive: true });
    folder = await mkdtemp(join(packageRoot, "test/.readme/run-"));
    port = await freePort();
  });

  afterAll(async () => {
    for (const child of running) child.kill("SIGKILL");
    await rm(join(packageRoot, "test/.readme"), { recursive: true, force: true });
  });

  it("shows a server that starts and a page's code that talks to it", async () => {
    const server = await script("server", "console.log(`listening on ${url}`);");
    expect(await outputOf(server, /listening/)).toContain(`listening on http://`);
    const client = await script("client", "console.log(`stored at ${position}`);");
    const output = await outputOf(client, /stored at .*[\s\S]*hello|hello[\s\S]*stored at/);
    expect(output).toMatch(/live ws/);
    expect(output).toMatch(/stored at [0-9a-z]{12}:1/);
    expect(output).toContain("hello");
    server.kill();
  });

  it("shows requests that publish, read, wait and stream", async () => {
    port = await freePort();
    const serve = node(join(packageRoot, "dist/cli/main.js"), "serve", "--open", "--port", String(port));
    await outputOf(serve, new RegExp(String(port)));
    const commands = await block("curl", port);
    const shell = spawn("bash", ["-c", commands]);
    running.push(shell);
    const output = await outputOf(shell);
    expect(output).toMatch(/"position":"[0-9a-z]{12}:1"/);
    expect(output).toMatch(/"data":\{"text":"hi"\}/);
    expect(output).toMatch(/"messages":\[\]/);
    expect(output).toMatch(/event: continuous\n[\s\S]*data: \{"text":"hi"\}/);
  });
});
