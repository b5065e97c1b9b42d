import type { Listening } from "../../../src/server.ts";
import { startChild } from "../child.ts";
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
  const child = startChild("deploy");
  const { port } = await child.ask<Listening>(orders);
  return {
    port,
    report: () => child.ask("report"),
    async terminate() {
      const begun = performance.now();
      child.signal("SIGTERM");
      const report = await child.next<ServerReport>();
      const code = (await child.ended) ?? -1;
      return { ...report, code, seconds: (performance.now() - begun) / 1_000 };
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
