import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { endWithBody } from "./answer-body.ts";
import { contentHeaders } from "./answers.ts";
import type { WholeAnswer } from "./exchange.ts";
import type { HeaderList } from "./headers.ts";

/** How long a peer is given to take a refusal, ms. */
const FAREWELL = 2_000;

/** The head of an answer that is written to a bare socket, which ends with it. */
export function rawHead(status: number, headers: HeaderList): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nDate: ${httpDate()}\r\nConnection: close\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  }
  return `${head}\r\n`;
}

/** Answers on a bare socket, as an upgrade leaves it, and ends it. */
export function writeRawAnswer(
  socket: Duplex,
  answer: WholeAnswer,
  headers: HeaderList,
  method: string | undefined,
): void {
  const { status, type, body } = answer;
  const length = type === undefined ? ["Content-Length", "0"] : contentHeaders(answer);
  const all = [...headers, ...answer.headers, ...length];
  socket.on("error", destroyThis).on("end", destroyThis);
  // Where the peer's own bytes were left unread, ending would cut off what it is told.
  socket.resume();
  socket.cork();
  socket.write(rawHead(status, all));
  endWithBody(socket, method === "HEAD" ? "" : body);
  const timer = setTimeout(() => socket.destroy(), FAREWELL);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
}

export function destroyThis(this: Duplex): void {
  this.destroy();
}

let date = "";
let second = 0;

/** Made once a second. */
function httpDate(): string {
  const now = Math.floor(Date.now() / 1_000);
  if (now !== second) {
    second = now;
    date = new Date(now * 1_000).toUTCString();
  }
  return date;
}
