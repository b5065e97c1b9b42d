import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Listening } from "../../../src/server.ts";
import type { ServerOrders, ServerReport } from "./messages.ts";

/** A server in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  report(): Promise<ServerReport>;
  /** Sends a SIGTERM; resolves when the process has ended, with its last report. */
  terminate(): Promise<ServerReport & { readonly code: number; readonly seconds: number }>;
}

/** Starts one, listening. */
export async function startServerProcess(orders: ServerOrders): Promise<ServerProcess> {
  const child = fork(join(import.meta.dirname, "child.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit") as Promise<[number]>;
  const told = async <Message>(): Promise<Message> => {
    const heard = await Promise.race([once(child, "message"), ended.then(() => undefined)]);
    if (!heard) throw new Error("The server's process has ended.");
    return heard[0] as Message;
  };
  child.send(orders);
  const { port } = await told<Listening>();
  return {
    port,
    report() {
      const report = told<ServerReport>();
      child.send("report");
      return report;
    },
    async terminate() {
      const begun = performance.now();
      const last = told<ServerReport>();
      child.kill("SIGTERM");
      const [report, [code]] = await Promise.all([last, ended]);
      return { ...report, code, seconds: (performance.now() - begun) / 1_000 };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}
