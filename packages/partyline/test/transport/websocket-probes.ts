import { WebSocket } from "ws";
import { attachLine, frameProbe, FrameReader, helloLine } from "./frames.ts";
import {
  authorization,
  channelUrl,
  Inbox,
  type Probe,
  type ProbeRequest,
  Refused,
  type Told,
} from "./probe.ts";

/** Opens a `ws` client; rejects with what the server refused it for. */
export function openSocket(
  url: string,
  protocols: string[] = [],
  headers: Record<string, string> = {},
  listen: (socket: WebSocket) => void = () => undefined,
): Promise<WebSocket> {
  // The certificates of tests are signed by themselves.
  const options = { headers, rejectUnauthorized: false };
  const socket = new WebSocket(url.replace("http", "ws"), protocols, options);
  // Before it is open: the first frames may come together with the handshake.
  listen(socket);
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve(socket));
    socket.on("error", reject);
    socket.on("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => reject(new Refused((JSON.parse(body) as { code: string }).code)));
    });
  });
}

export async function openRawWebSocket(request: ProbeRequest): Promise<Probe> {
  const inbox = new Inbox<Told>();
  const socket = await openSocket(channelUrl(request), [], authorization(request.token), (opening) =>
    opening.on("message", (data: Buffer, isBinary) => {
      const text = isBinary ? data.toString("base64") : data.toString();
      // The wire does not tell JSON from text: both are text frames.
      const kind = isBinary ? "binary" : /^\s*[[{]/.test(text) ? "json" : "text";
      inbox.push({ is: "message", kind, data: text });
    }),
  );
  socket.on("close", (code, reason) => {
    const text = reason.toString();
    if (code === 4410) inbox.push({ is: "gap", to: text });
    inbox.push({ is: "end", code: text.split(":")[0] || String(code) });
  });
  return { opening: {}, next: () => inbox.next(), [Symbol.asyncDispose]: () => closed(socket) };
}

export async function openConnectWebSocket(request: ProbeRequest): Promise<Probe> {
  const { url, token } = request;
  const reader = new FrameReader();
  const socket = await openSocket(`${url}/connect`, ["partyline.v1"]);
  socket.on("message", (data: Buffer) => reader.read(data.toString()));
  socket.on("close", (code) => reader.end(String(code)));
  socket.send(`${helloLine(token === undefined ? {} : { token })}\n${attachLine(request)}`);
  return frameProbe(reader, () => closed(socket));
}

async function closed(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  const gone = new Promise((resolve) => socket.once("close", resolve));
  socket.terminate();
  await gone;
}
