import type { Frame } from "./scripted-websocket.ts";

/** A request that a client has made: the test says what the server answers. */
export interface ScriptedRequest {
  /** The frames of its body. */
  readonly frames: Frame[];
  /** It asks for a stream of events. */
  readonly streams: boolean;
  /** The client has let go of it. */
  readonly aborted: boolean;
  /** Says these frames, and no more where it is no stream. */
  say(...frames: Frame[]): void;
  /** Refuses it, as a server does with a problem, or as a proxy does with HTML and these headers. */
  refuse(status: number, problem?: Frame, headers?: Readonly<Record<string, string>>): void;
  /** Ends it, whole or broken. */
  end(error?: Error): void;
}

const PROBLEM = "application/problem+json";

/** A network with nothing but scripted requests. */
export interface ScriptedHttp {
  /** To pass as a client's `fetch`. */
  readonly fetch: typeof fetch;
  /** All that were made, the oldest first. */
  readonly requests: readonly ScriptedRequest[];
}

/**
 * Makes requests that lead to the test.
 *
 * @example
 * ```ts
 * const http = createScriptedHttp();
 * const client = createClient("http://test", { transports: ["poll"], fetch: http.fetch });
 * http.requests[0].say({ t: "welcome", v: 1, time: 0, limits: { messageBytes: 65_536 } });
 * ```
 */
export function createScriptedHttp(): ScriptedHttp {
  const requests: ScriptedRequest[] = [];

  const open = (body: string, streams: boolean, signal: AbortSignal): Promise<Response> =>
    new Promise((resolve, reject) => {
      let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
      let over = false;
      const answer = (response: BodyInit | null, status = 200, headers: HeadersInit = {}): void =>
        resolve(new Response(response, { status, headers }));
      signal.addEventListener("abort", () => {
        over = true;
        reject(signal.reason as Error);
        controller?.error(signal.reason);
      });
      requests.push({
        frames: body.split("\n").map((line) => JSON.parse(line) as Frame),
        streams,
        get aborted() {
          return signal.aborted;
        },
        say(...frames) {
          if (over) return;
          const lines = frames.map((frame) => JSON.stringify(frame));
          if (!streams) {
            answer(lines.join("\n"));
            return;
          }
          if (!controller) answer(new ReadableStream({ start: (made) => void (controller = made) }));
          const event = lines.map((line) => `data: ${line}\n`).join("");
          controller?.enqueue(new TextEncoder().encode(`${event}\n`));
        },
        refuse: (status, problem, headers) =>
          problem
            ? answer(JSON.stringify({ remedy: "", ...problem }), status, { "content-type": PROBLEM })
            : answer("<html>", status, headers),
        end(error = new TypeError("The network failed.")) {
          if (over) return;
          over = true;
          reject(error);
          controller?.error(error);
        },
      });
    });

  return {
    requests,
    fetch: (_url, { body, headers, signal } = {}) =>
      open(
        String(body as string),
        new Headers(headers).get("accept") === "text/event-stream",
        signal as AbortSignal,
      ),
  };
}

/** Lets what is under way in streams come to rest: they take turns of the event loop. */
export async function settleStreams(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
