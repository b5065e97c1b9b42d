import type { Grants } from "../core/ports.ts";
import { parseChannelPath } from "../protocol/channel-name.ts";
import { parseSince } from "../protocol/position.ts";
import type { Guest } from "../transports/registry.ts";
import { historyAnswer } from "./answers.ts";
import type { Exchange, Reply } from "./exchange.ts";
import { packed } from "./packed.ts";
import { resumeText } from "./resume.ts";
import { admitAttaches, refusal, type Service, takeSeat, wholeNumber } from "./service.ts";
import { whenDone } from "./when-done.ts";

const DEFAULT_LIMIT = 100;
const DEFAULT_WAIT = 25;

/** `GET /channels/{name}`: a page of history, or with `wait` a long poll. */
export function history(service: Service, exchange: Exchange, name: string, reply: Reply): void {
  const { engine } = service;
  const query = new URLSearchParams(exchange.query);
  const channel = parseChannelPath(name);
  const since = parseSince(resumeText(exchange, query));
  const limitText = query.get("limit");
  const most = engine.limits.historyMessages;
  const limit = limitText === null ? Math.min(DEFAULT_LIMIT, most) : wholeNumber("limit", limitText, 1, most);
  const wait = waitOf(query.get("wait"), engine.limits.waitSeconds);
  const request = { channel, since, limit };
  const give = packed(service, exchange, reply);
  const failed = (error: unknown): void => reply(refusal(service, exchange, error));
  whenDone(
    () => engine.authenticate(exchange),
    (grants) => {
      if (wait !== undefined)
        return whenDone(() => poll(service, exchange, { ...request, wait, grants }), give, failed);
      whenDone(
        () => engine.history({ ...request, wait: undefined }, grants),
        (answer) => give(historyAnswer(answer)),
        failed,
      );
    },
    failed,
  );
}

/** Ms; `undefined` where it is no long poll. */
function waitOf(text: string | null, most: number): number | undefined {
  if (text === null) return undefined;
  if (text === "") return Math.min(DEFAULT_WAIT, most) * 1_000;
  return wholeNumber("wait", text, 0, most) * 1_000;
}

interface PollRequest {
  readonly channel: string;
  readonly since: ReturnType<typeof parseSince>;
  readonly limit: number;
  readonly wait: number;
  readonly grants: Grants;
}

async function poll(
  service: Service,
  exchange: Exchange,
  { grants, ...request }: PollRequest,
): Promise<ReturnType<typeof historyAnswer>> {
  // With a position it goes on, and does not come anew.
  admitAttaches(service, request.since?.at === "position" ? 0 : 1);
  const seat = takeSeat(service, exchange);
  const ended = new AbortController();
  let draining = false;
  const end = (): void => {
    draining = true;
    ended.abort();
  };
  const guest: Guest = { breaks: false, leave: end, close: end };
  service.polls.add(guest);
  exchange.onGone(() => ended.abort());
  try {
    const answer = await service.engine.history({ ...request, signal: ended.signal }, grants);
    return historyAnswer(answer, draining);
  } finally {
    service.polls.delete(guest);
    seat.leave();
  }
}
