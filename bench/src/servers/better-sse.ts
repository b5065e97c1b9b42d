/** Event streams as they are written with `better-sse`: a channel broadcasts. It is imported from where it is installed. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { listen, onPost } from "./room.ts";

/** What is used of it. */
interface BetterSse {
  readonly createSession: (request: IncomingMessage, response: ServerResponse) => Promise<object>;
  readonly createChannel: () => { register(session: object): void; broadcast(data: unknown): void };
}

const path = createRequire(process.argv[3] ?? "").resolve("better-sse");
const { createSession, createChannel } = (await import(pathToFileURL(path).href)) as BetterSse;
const channels = new Map<string, ReturnType<BetterSse["createChannel"]>>();
const publish = onPost((room, body) => {
  channels.get(room)?.broadcast(body);
});

async function subscribe(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = "" } = request;
  const channel = channels.get(url) ?? createChannel();
  channels.set(url, channel);
  channel.register(await createSession(request, response));
}

listen(
  createServer((request, response) => {
    if (request.method === "POST") publish(request, response);
    else void subscribe(request, response);
  }),
);
