import { startChild } from "../child.ts";

/** Where the bystander connects. */
export interface Place {
  readonly port: number;
  readonly tls: boolean;
  /** Address of loopback that the bystander connects from. `@default "127.0.0.1"` */
  readonly from?: string;
}

/** What the bystander saw since its last account. */
export interface Account {
  /** Requests that were answered. */
  readonly answered: number;
  /** The longest wait for an answer in milliseconds; one that is still missing counts. */
  readonly longest: number;
  /** Wait in milliseconds that 99 of 100 requests did not exceed. */
  readonly p99: number;
  /** Answers other than the expected ones, each once. */
  readonly faults: readonly string[];
}

/** A peer that uses the server as intended, in a process of its own. */
export interface Bystander extends AsyncDisposable {
  /** Ends the present account and begins a new one. */
  account(): Promise<Account>;
}

/**
 * Starts a bystander: every few milliseconds it publishes over a WebSocket of `/connect`, reads over a kept HTTP
 * connection, and reads over a new one, each when the answer before has come.
 */
export async function startBystander(place: Place): Promise<Bystander> {
  const child = startChild("bystander", [JSON.stringify(place)]);
  await child.next<"ready">();
  return {
    account: () => child.ask<Account>("account"),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
