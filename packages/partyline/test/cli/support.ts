import { spawn } from "node:child_process";
import { join } from "node:path";

const main = join(import.meta.dirname, "../../src/cli/main.ts");

/** What a run of the program ended with. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real program as a process of its own, from its sources. */
export interface Cli extends AsyncDisposable {
  readonly ended: Promise<Ended>;
  write(text: string): void;
  /** Ends stdin. */
  end(text?: string | Uint8Array): void;
  kill(signal: "SIGINT" | "SIGTERM"): void;
  /** Reads no more, as `head` does when it has enough. */
  closeOutput(): void;
  /** Reads standard error no more, as a log collector that has died. */
  closeErrors(): void;
  /** Resolves with the match when the text is there; rejects where the program ends without it. */
  until(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts `partyline` with these arguments. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Cli {
  const { PARTYLINE_TOKEN: _token, FORCE_COLOR: _color, ...rest } = process.env;
  const child = spawn(process.execPath, [main, ...args], { env: { ...rest, COLUMNS: "80", ...env } });
  const text = { stdout: "", stderr: "" };
  const watchers = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (piece: string) => {
      text[name] += piece;
      for (const watch of watchers) watch();
    });
  // A program that does not read its input is no fault of the test.
  child.stdin.on("error", () => undefined);
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      resolve({ code, ...text });
      for (const watch of watchers) watch();
    });
  });
  return {
    ended,
    write: (piece) => void child.stdin.write(piece),
    end: (piece = "") => void child.stdin.end(piece),
    kill: (signal) => void child.kill(signal),
    closeOutput: () => child.stdout.destroy(),
    closeErrors: () => child.stderr.destroy(),
    until(name, pattern) {
      return new Promise((resolve, reject) => {
        const watch = (): void => {
          const match = pattern.exec(text[name]);
          if (match === null && child.exitCode === null && child.signalCode === null) return;
          watchers.delete(watch);
          if (match) resolve(match);
          else reject(new Error(`It ended without ${String(pattern)}:\n${text.stdout}\n${text.stderr}`));
        };
        watchers.add(watch);
        watch();
      });
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Runs `partyline` to its end, with this on stdin. */
export async function runCli(
  args: readonly string[],
  { input = "", env = {} }: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  await using cli = startCli(args, env);
  cli.end(input);
  return await cli.ended;
}

/** `partyline serve` on a free port, listening. */
export async function startServer(
  args: readonly string[] = ["--open"],
  env: Readonly<Record<string, string>> = {},
): Promise<Cli & { readonly url: string; readonly port: string }> {
  const cli = startCli(["serve", "--port", "0", ...args], env);
  const [, url = "", port = ""] = await cli.until("stdout", /listens on (https?:\/\/\S+:(\d+))/);
  return Object.assign(cli, { url, port });
}
