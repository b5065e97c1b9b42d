import { connect, type Socket } from "node:net";

/** A keep-alive connection that posts one message at a time. */
class Publisher {
  readonly #socket: Socket;
  #answer = "";
  busy = false;
  /** How many posts were refused, or never answered. */
  refused = 0;

  constructor(port: number, answered: () => void) {
    this.#socket = connect(port, "127.0.0.1").setNoDelay(true).setEncoding("latin1");
    this.#socket.on("error", () => undefined);
    // A connection that is gone stays busy: nothing is posted over it any more.
    this.#socket.on("close", () => {
      if (this.busy) this.refused += 1;
      this.busy = true;
    });
    this.#socket.on("data", (text: string) => {
      this.#answer += text;
      const status = answerStatus(this.#answer);
      if (status === undefined) return;
      if (status >= 300) this.refused += 1;
      this.#answer = "";
      this.busy = false;
      answered();
    });
  }

  post(path: string, body: string): void {
    this.busy = true;
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n`;
    this.#socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** So many connections that post, whichever is free. */
export class Publishers {
  readonly #list: readonly Publisher[];

  /** @param answered is called whenever one becomes free */
  constructor(port: number, connections: number, answered: () => void) {
    this.#list = Array.from({ length: connections }, () => new Publisher(port, answered));
  }

  /** False where none is free. */
  post(path: string, body: string): boolean {
    const free = this.#list.find(({ busy }) => !busy);
    free?.post(path, body);
    return free !== undefined;
  }

  get refused(): number {
    return this.#list.reduce((sum, { refused }) => sum + refused, 0);
  }

  close(): void {
    for (const publisher of this.#list) publisher.close();
  }
}

/** The status of an answer whose length is told, once it is complete. */
export function answerStatus(answer: string): number | undefined {
  const head = answer.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, head))?.[1];
  if (answer.length < head + 4 + Number(length ?? 0)) return undefined;
  return Number(answer.slice(9, 12));
}
