import type { EntryKind } from "../../src/protocol/message.ts";

/** What a reader is told, in the words of no wire in particular. */
export type Told =
  | {
      readonly is: "message";
      readonly kind: EntryKind;
      /** The text of JSON and text, base64 of binary; a deletion has none. */
      readonly data?: string;
      readonly offset?: number;
      readonly id?: string;
      readonly key?: string;
    }
  | { readonly is: "gap"; readonly reason?: string; readonly from?: string; readonly to: string }
  | { readonly is: "skip"; readonly from: string; readonly to: string }
  | { readonly is: "mark"; readonly position: string }
  /** The connection ended; `code` where it said why. */
  | { readonly is: "end"; readonly code?: string };

/** What the wire said when it was attached. */
export interface Opening {
  readonly position?: string;
  readonly replayed?: number;
  readonly gap?: { readonly from?: string; readonly to: string; readonly reason?: string };
}

/** A reader of one channel over one transport, made by hand from the protocol's text. */
export interface Probe extends AsyncDisposable {
  readonly opening: Opening;
  next(): Promise<Told>;
}

/** The server refused. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`refused: ${code}`);
    this.code = code;
  }
}

/** What a wire has no place for, with the reason: a test of it is skipped by that name. */
export type Lack = "ids" | "skips" | "marks" | "deletions" | "open end";

export interface ProbeRequest {
  readonly url: string;
  readonly channel: string;
  readonly since?: string;
  readonly maxRate?: number;
  readonly token?: string;
}

export interface Transport {
  readonly name: string;
  readonly lacks: Partial<Record<Lack, string>>;
  open(request: ProbeRequest): Promise<Probe>;
}

/** Values in the order in which they came, waited for one by one. */
export class Inbox<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  push(value: T): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(value);
    else this.#values.push(value);
  }

  next(): Promise<T> {
    const value = this.#values.shift();
    if (value !== undefined) return Promise.resolve(value);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  get size(): number {
    return this.#values.length;
  }
}

/** The code in a problem document. */
export async function problemCode(response: Response): Promise<string> {
  const problem = (await response.json()) as { code?: string };
  return problem.code ?? `status ${response.status}`;
}

export function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

export function channelUrl(
  { url, channel, since, maxRate }: ProbeRequest,
  more: Record<string, string> = {},
): string {
  const query = new URLSearchParams({
    ...(since === undefined ? {} : { since }),
    ...(maxRate === undefined ? {} : { maxRate: `${maxRate}` }),
    ...more,
  });
  const path = channel.split("/").map(encodeURIComponent).join("/");
  return `${url}/channels/${path}${query.size > 0 ? `?${query}` : ""}`;
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Who does not look at it has another way to learn of the failure.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
