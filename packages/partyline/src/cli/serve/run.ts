import { randomBytes } from "node:crypto";
import { createPartyline } from "../../server.ts";
import { CliError, EXIT, systemCode } from "../exit.ts";
import { aborted, Interrupted, interruptSignal } from "../interrupt.ts";
import { columnsOf } from "../text.ts";
import { banner } from "./banner.ts";
import { drainServer } from "./drain.ts";
import { readTls, type TlsFiles, tlsError } from "./read-tls.ts";
import { tokenAuthenticator } from "./token-authenticator.ts";

/** What the command line says. */
export interface ServeOptions extends TlsFiles {
  readonly port: number;
  readonly host: string;
  readonly open?: boolean;
  readonly origin?: readonly string[];
  readonly hostname?: readonly string[];
  readonly retention: number;
  /** Seconds that clients are given to leave after a SIGTERM. */
  readonly drain: number;
}

/**
 * Serves until a signal comes; ending by one is how a server ends, so it is no failure. Who stops it by hand does not
 * want to wait; a SIGTERM is part of a deploy, and lets the clients go.
 */
export async function runServe(options: ServeOptions): Promise<void> {
  const { port, host, open = false, origin, hostname, retention, drain } = options;
  const signal = interruptSignal(drain * 1_000);
  const tls = await readTls(options);
  const given = process.env["PARTYLINE_TOKEN"] || undefined;
  const token = given ?? randomBytes(24).toString("base64url");
  const server = createPartyline({
    retention: { count: retention },
    ...(origin === undefined ? {} : { origins: origin }),
    ...(hostname === undefined ? {} : { hosts: hostname }),
    ...(open ? {} : { authenticator: tokenAuthenticator(token) }),
  });
  try {
    const address = await server.listen(port, host, tls ? { tls } : {});
    const made = given === undefined && !open;
    const publishing = open ? "open" : made ? "made token" : "given token";
    const columns = columnsOf(process.stdout, process.env);
    console.log(banner({ host, port: address.port, tls: tls !== undefined, publishing, token, columns }));
    await aborted(signal);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw listenError(error, port, host);
    if (error.exitCode === EXIT.terminated && drain > 0)
      await drainServer(server, drain * 1_000, process.stderr);
  } finally {
    await server.close();
  }
}

function listenError(error: unknown, port: number, host: string): unknown {
  if (error instanceof TypeError) return tlsError(error);
  const code = systemCode(error);
  if (code === "EADDRINUSE")
    return new CliError(`Port ${port} is taken.`, "Choose another one with --port, or 0 for a free one.");
  if (code === "EACCES")
    return new CliError(`Port ${port} needs more rights.`, "Choose one from 1024 on with --port.");
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return new CliError(`${host} is no address of this machine.`, "Choose another one with --host.");
  return error;
}
