import type { ServerFrame } from "../../src/protocol/frames.ts";
import { deferred, Inbox, type Opening, type Probe, type ProbeRequest, Refused, type Told } from "./probe.ts";

/** Reads the frames of one attached channel. */
export class FrameReader {
  readonly inbox: Inbox<Told> = new Inbox();
  readonly #opened = deferred<Opening>();
  /** Where the reader is: what a poll goes on from. */
  position: string | undefined;
  attached = false;

  readonly opening: Promise<Opening> = this.#opened.promise;

  read(lines: string): void {
    for (const line of lines.split("\n")) if (line !== "") this.#take(JSON.parse(line) as ServerFrame, line);
  }

  end(code?: string): void {
    this.#opened.reject(new Refused(code ?? "closed"));
    this.inbox.push({ is: "end", ...(code === undefined ? {} : { code }) });
  }

  #take(frame: ServerFrame, line: string): void {
    switch (frame.t) {
      case "attached": {
        const { position, replayed, gap } = frame;
        this.position = position;
        if (this.attached && gap) this.inbox.push({ is: "gap", ...gap });
        this.attached = true;
        return this.#opened.resolve({ position, replayed, ...(gap ? { gap } : {}) });
      }
      case "m": {
        const { offset, kind, id, key } = frame;
        this.#moveTo(offset);
        const data = kind === "deleted" ? {} : { data: dataText(kind, frame.data, line) };
        const names = { ...(id === undefined ? {} : { id }), ...(key === undefined ? {} : { key }) };
        return this.inbox.push({ is: "message", kind, offset, ...names, ...data });
      }
      case "gap":
        this.position = frame.to;
        return this.inbox.push({ is: "gap", reason: frame.reason, from: frame.from, to: frame.to });
      case "skip":
        this.position = frame.to;
        return this.inbox.push({ is: "skip", from: frame.from, to: frame.to });
      case "mark":
        return this.inbox.push({ is: "mark", position: frame.position });
      case "error":
        return this.end(frame.code);
      case "welcome":
      case "result":
      case "stale":
      case "detached":
      case "pong":
      case "drain":
        return;
    }
  }

  #moveTo(offset: number): void {
    this.position = `${this.position?.split(":")[0]}:${offset}`;
  }
}

/** JSON data as it stood in the line: to parse it would hide that it was written anew. */
function dataText(kind: string, data: unknown, line: string): string {
  if (kind !== "json") return String(data);
  return line.slice(line.indexOf(',"data":') + 8, -1);
}

/** A probe over a frame reader. */
export async function frameProbe(reader: FrameReader, close: () => void | Promise<void>): Promise<Probe> {
  try {
    const opening = await reader.opening;
    return { opening, next: () => reader.inbox.next(), [Symbol.asyncDispose]: async () => await close() };
  } catch (error) {
    await close();
    throw error;
  }
}

export function helloLine(fields: object): string {
  return JSON.stringify({ t: "hello", v: 1, ...fields });
}

export function attachLine({ channel, since, maxRate }: Omit<ProbeRequest, "url">): string {
  return JSON.stringify({ t: "attach", n: 1, channel, since, maxRate });
}
