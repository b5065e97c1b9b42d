import type { IncomingMessage } from "node:http";
import type { Server } from "node:net";
import type { Duplex } from "node:stream";
import { PartylineError } from "../protocol/errors.ts";
import { problemAnswer } from "./answers.ts";
import type { NodeRequest, NodeResponse } from "./http2.ts";
import { guard } from "./lead.ts";
import type { NodeHost } from "./node-host.ts";
import { writeRawAnswer } from "./raw-answer.ts";
import type { Upgrades } from "./upgrades.ts";

type RequestListener = (request: NodeRequest, response: NodeResponse) => void;

/** What people have at hand is often the application and not its server. */
function mustBeServer(server: unknown): void {
  const given = server as Partial<Server> | null | undefined;
  if (typeof given === "function")
    throw new TypeError(
      "attach() takes an HTTP server, not an application: `const http = createServer(app); server.attach(http)`, " +
        "or `app.use(server.handler)`.",
    );
  if (typeof given?.listeners !== "function" || typeof given.removeAllListeners !== "function")
    throw new TypeError(
      "attach() takes an HTTP server of Node's, as `createServer` returns it; of Fastify it is `fastify.server`.",
    );
}

/**
 * Takes our paths of a server that belongs to somebody else; its own listeners get all other requests as before. They
 * are those that it has now: what is added later sees our requests too.
 *
 * @returns Puts everything back.
 * @throws TypeError if it is no server.
 */
export function attachTo(server: Server, host: NodeHost, upgrades: Upgrades): () => void {
  mustBeServer(server);
  const restores = (["request", "checkContinue"] as const).map((event) => {
    const before = server.listeners(event) as RequestListener[];
    if (event === "checkContinue" && before.length === 0) return () => undefined;
    const listener = (request: NodeRequest, response: NodeResponse): void => {
      if (host.request(request, response, event === "checkContinue")) return;
      for (const other of before) other.call(server, request, response);
    };
    server.removeAllListeners(event).on(event, listener);
    return () => {
      server.removeListener(event, listener);
      for (const other of before) server.on(event, other);
    };
  });
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (upgrades.upgrade(request, socket, head) || server.listenerCount("upgrade") > 1) return;
    // Nobody else is there to answer, and an upgrade that nobody answers hangs.
    const error = new PartylineError("unknown-path", "Nothing can be upgraded to at this path.");
    guard(
      host.service,
      () => writeRawAnswer(socket, problemAnswer(error), host.base, request.method),
      socket,
    );
  };
  server.on("upgrade", onUpgrade);
  return () => {
    server.removeListener("upgrade", onUpgrade);
    for (const restore of restores) restore();
  };
}
