import type { Welcome } from "../core/ports.ts";
import { PartylineError } from "../protocol/errors.ts";
import { FRAMES_TYPE } from "../protocol/frames.ts";
import { connectFrameBytes } from "../protocol/limits.ts";
import { decodeText } from "../protocol/message.ts";
import { runCommands, startPoll } from "../transports/connect-poll.ts";
import { ConnectSse } from "../transports/connect-sse.ts";
import { hasMoreLines } from "../transports/request-lines.ts";
import type { Body } from "../transports/pieces.ts";
import type { Seat } from "../transports/seat.ts";
import { asksForStream } from "../transports/stream-request.ts";
import { linesAnswer } from "./answers.ts";
import type { Exchange, Reply } from "./exchange.ts";
import { refuseEncoding } from "./publish.ts";
import { admitAttaches, refusal, type Service, streamAnswer, takeSeat } from "./service.ts";
import { whenDone } from "./when-done.ts";

/** Room for many small commands beside one of the largest. */
const BODY_BYTES = 1024 * 1024;

/** A poll that waits for so long goes on, seconds; with a shorter one, which tells that this way is open, a client comes. */
const CONTINUES = 1;

/** As long as one that should go elsewhere is let wait, seconds. */
const AWHILE = 1;

/** `text/plain` is what browsers send without asking first. */
const TYPES = new Set([FRAMES_TYPE, "application/json", "text/plain", ""]);

/** `POST /connect`: frames, `hello` first. */
export function connect(service: Service, exchange: Exchange, reply: Reply): void {
  const { engine } = service;
  const type = (exchange.header("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (!TYPES.has(type))
    throw new PartylineError("wrong-type", `Frames are not ${JSON.stringify(type.slice(0, 80))}.`, {
      remedy: `Send \`content-type: ${FRAMES_TYPE}\`.`,
    });
  refuseEncoding(exchange);
  const failed = (error: unknown): void => reply(refusal(service, exchange, error));
  const limit = BODY_BYTES + connectFrameBytes(engine.limits);
  exchange.readBody({ limit, bodies: service.bodies, authenticated: false }, (body) => {
    if (body instanceof PartylineError) return failed(body);
    whenDone(
      () => {
        const [hello = "", ...lines] = readLines(body, engine.limits.linesPerRequest);
        const welcome = engine.hello(hello, exchange);
        if (!(welcome instanceof Promise)) return { welcome, lines };
        const opening = welcome.then((late) => ({ welcome: late, lines }));
        const kept = service.bodies.keep(body, opening);
        return kept instanceof PartylineError ? Promise.reject(kept) : opening;
      },
      (opening) => answer(service, exchange, opening, reply),
      failed,
    );
  });
}

interface Opening {
  readonly welcome: Welcome;
  readonly lines: readonly string[];
}

function answer(service: Service, exchange: Exchange, { welcome, lines }: Opening, reply: Reply): void {
  const { engine } = service;
  const done = (answers: Body): void => reply(linesAnswer(FRAMES_TYPE, answers));
  if (asksForStream(exchange.header("accept"))) {
    admitAttaches(service, lines.length);
    const seat = takeSeat(service, exchange);
    return reply(streamAnswer(service, exchange, new ConnectSse(service, seat, welcome, lines)));
  }
  const { wait } = welcome;
  if (wait === undefined) return runCommands(engine, welcome, lines, done);
  const { phase } = service;
  const drain = phase.is === "draining" ? phase.drain : undefined;
  if (wait < CONTINUES) admitAttaches(service, lines.length);
  const patience = drain ? Math.min(wait, AWHILE) : wait;
  const seat = takeSeat(service, exchange);
  const ended = (answers: Body): void => {
    service.polls.delete(poll);
    seat.leave();
    if (service.phase.is === "draining") service.phase.drain.polled();
    done(answers);
  };
  const poll = beginWith(seat, () => startPoll(engine, { ...welcome, wait: patience }, lines, ended));
  service.polls.add(poll);
  // Who was asked, and has found no other server yet, is asked again with each answer.
  drain?.remind(poll);
  exchange.onGone(() => poll.finish());
}

/** Gives the seat back if what it was taken for can't begin. */
function beginWith<T>(seat: Seat, begin: () => T): T {
  try {
    return begin();
  } catch (error) {
    seat.leave();
    throw error;
  }
}

function readLines(body: Uint8Array, most: number): string[] {
  if (hasMoreLines(body, most))
    throw new PartylineError("too-large", `The body has more than ${most} lines.`);
  const text = decodeText(body);
  if (text === undefined) throw new PartylineError("bad-frame", "The body is not UTF-8.");
  return text.split("\n").filter((line) => line.trim() !== "");
}
