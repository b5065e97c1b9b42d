import type { Client, TransportName } from "../client/index.ts";
import { CliError, systemCode } from "./exit.ts";
import { aborted } from "./interrupt.ts";

/** How the commands that talk to a server find it. */
export interface ServerOptions {
  readonly url: URL;
  readonly token?: string;
}

/** How long the first connection may take, ms: longer than all three transports need to give up. */
const PATIENCE = 13_000;

/**
 * A client whose first connection is there. Losses after that are told on stderr, and the client tries on.
 *
 * @throws CliError where the server does not answer, or does not want this client.
 */
export async function connect(
  { url, token }: ServerOptions,
  signal: AbortSignal,
  transports?: readonly TransportName[],
): Promise<Client> {
  const { createClientIn, globalWorld } = await import("../client/create-client.ts");
  const { jsonTextCodec } = await import("./json-text.ts");
  const client = createClientIn({ ...globalWorld, codec: jsonTextCodec }, url, {
    // An empty variable is a variable that is not set.
    ...(token === undefined || token === "" ? {} : { token }),
    ...(transports === undefined ? {} : { transports }),
  });
  try {
    await Promise.race([live(client, url), reachable(url), aborted(signal)]);
  } catch (error) {
    await client.close();
    throw error;
  }
  client.on("state", ({ status, reason, transport }) => {
    if (status === "reconnecting")
      console.error(`connection lost, trying again (${reason?.message ?? "closed"})`);
    if (status === "live") console.error(`connected again over ${transport}`);
  });
  return client;
}

function live(client: Client, url: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(noAnswer(url)), PATIENCE);
    const off = client.on("state", ({ status, reason }) => {
      if (status === "live") resolve();
      else if (status === "closed") reject(reason ?? noAnswer(url));
      else return;
      clearTimeout(timer);
      off();
    });
  });
}

/**
 * Never resolves; rejects at once where nobody listens, because the client alone would go on trying, which is right
 * for a page and wrong for a command line.
 */
async function reachable(url: URL): Promise<never> {
  try {
    await fetch(new URL(url.href.replace(/^ws/, "http")), {
      method: "HEAD",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch (error) {
    const { cause } = error as Error;
    const why = systemCode(error) ?? (cause instanceof Error ? cause.message : undefined);
    throw noAnswer(url, why, error);
  }
  return new Promise<never>(() => undefined);
}

function noAnswer(url: URL, why?: string, cause?: unknown): CliError {
  return new CliError(
    `No partyline server answers at ${url.origin}${why === undefined ? "" : ` (${why})`}.`,
    "Start one with `partyline serve --open`, or name another one with --url.",
    undefined,
    cause,
  );
}
