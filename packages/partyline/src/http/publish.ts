import type { Grants, MaybePromise } from "../core/ports.ts";
import { parseChannelPath } from "../protocol/channel-name.ts";
import { PartylineError } from "../protocol/errors.ts";
import { declaredKind, ownText } from "../protocol/message.ts";
import { publishedAnswer } from "./answers.ts";
import type { Exchange, Reply } from "./exchange.ts";
import { refusal, type Service } from "./service.ts";
import { whenDone } from "./when-done.ts";

/** `POST /channels/{name}`: the body is one message. @throws PartylineError what the request's head is refused for. */
export function publish(service: Service, exchange: Exchange, name: string, reply: Reply): void {
  const { engine } = service;
  const channel = parseChannelPath(name);
  const kind = declaredKind(exchange.header("content-type"));
  refuseEncoding(exchange);
  const key = exchange.query === "" ? undefined : keyOf(exchange.query);
  const id = idOf(exchange.header("idempotency-key"));
  const failed = (error: unknown): void => reply(refusal(service, exchange, error));
  const store = (data: Uint8Array | PartylineError, grants: Grants): void => {
    if (data instanceof PartylineError) return failed(data);
    whenDone(
      () => engine.publish({ channel, kind, data, id, key }, grants),
      (appended) => reply(publishedAnswer(appended)),
      failed,
    );
  };
  const { bodies } = service;
  const limit = engine.limits.messageBytes;
  let granted: MaybePromise<Grants>;
  try {
    granted = engine.authenticate(exchange);
  } catch (error) {
    return failed(error);
  }
  if (!(granted instanceof Promise)) {
    const grants = granted;
    return exchange.readBody({ limit, bodies, authenticated: true }, (data) => store(data, grants));
  }
  // Pieces that nobody reads while an authenticator decides would be kept one by one.
  const later = granted;
  const arrived = new Promise<Uint8Array | PartylineError>((resolve) =>
    exchange.readBody({ limit, bodies, authenticated: false }, (data) => resolve(bodies.keep(data, later))),
  );
  later.then((grants) => arrived.then((data) => store(data, grants))).catch(failed);
}

/** `DELETE /channels/{name}?key=`: deletes a key of a channel that keeps the latest values. */
export function remove(service: Service, exchange: Exchange, name: string, reply: Reply): void {
  const { engine } = service;
  const channel = parseChannelPath(name);
  const key = keyOf(exchange.query) ?? "";
  const failed = (error: unknown): void => reply(refusal(service, exchange, error));
  whenDone(
    () => engine.authenticate(exchange),
    (grants) =>
      whenDone(
        () => engine.remove(channel, key, grants),
        (appended) => reply(publishedAnswer(appended)),
        failed,
      ),
    failed,
  );
}

/** The id; of a string in quotes, as RFC 8941 writes it and some clients send it, what stands between them. */
function idOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : (/^"([\w-]*)"[ \t]*(?:;.*)?$/.exec(header)?.[1] ?? header);
}

function keyOf(query: string): string | undefined {
  const key = new URLSearchParams(query).get("key");
  // It is kept with the message, and is a part of the request's URL.
  return key === null ? undefined : ownText(key);
}

/** Bytes are kept as they came: a compressed body would be stored as what it is not. */
export function refuseEncoding(exchange: Exchange): void {
  const encoding = exchange.header("content-encoding");
  if (encoding === undefined || encoding === "identity") return;
  throw new PartylineError("wrong-type", `A body with the content encoding ${JSON.stringify(encoding)}.`, {
    remedy: "Send the body as it is, without `Content-Encoding`.",
  });
}
