import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";

it("a script that a shell started ends when the shell is terminated", async ({ skip }) => {
  if (process.platform === "win32") skip("Windows has no shell that npm leaves behind");
  const module = new URL("./end-with-parent.ts", import.meta.url).href;
  const script = `
    (await import(${JSON.stringify(module)})).endWithParent();
    process.once("SIGTERM", () => { console.log("terminated"); process.exit(0); });
    setInterval(() => undefined, 1000);
    console.log("up");`;
  // The command after it keeps the shell from becoming the script itself.
  const shell = spawn("sh", ["-c", '"$NODE" --input-type=module -e "$SCRIPT"; exit $?'], {
    env: { ...process.env, NODE: process.execPath, SCRIPT: script },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  shell.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await once(shell.stdout, "data");
  shell.kill("SIGTERM");
  await once(shell.stdout, "close");
  expect(output).toBe("up\nterminated\n");
});
