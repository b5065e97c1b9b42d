import { isLoopbackAddress } from "../../protocol/host.ts";
import { wrap } from "../text.ts";

/** What `serve` says when it listens. */
export interface BannerOptions {
  /** The address that it is bound to. */
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  /** How publishing is allowed. */
  readonly publishing: "open" | "given token" | "made token";
  /** The token, where it was made for this run. */
  readonly token?: string;
  readonly columns: number;
}

/** Where the server listens, three things to try, and who may publish. */
export function banner({ address, port, tls, publishing, token, columns }: BannerOptions): string {
  const url = `${tls ? "https" : "http"}://${urlHost(address)}:${port}`;
  const chat = `${url}/channels/chat`;
  const header = publishing === "open" ? [] : ["-H 'authorization: Bearer TOKEN'"];
  const curl = ['curl -d \'{"text":"hi"}\'', "-H 'content-type: application/json'", ...header, chat];
  const websocket = [`new WebSocket("${chat.replace("http", "ws")}")`];
  const lines = [
    `partyline listens on ${url}`,
    "",
    "Try it:",
    command(["curl -N -H 'accept: text/event-stream'", chat], columns),
    command(curl, columns),
    command(websocket, columns),
    "",
    wrap(permission(address, publishing), columns),
    ...(publishing === "made token" ? [`  ${token ?? ""}`] : []),
  ];
  return lines.join("\n");
}

function permission(address: string, publishing: BannerOptions["publishing"]): string {
  const who = isLoopbackAddress(address) ? "Everybody on this machine" : "EVERYBODY WHO REACHES THIS ADDRESS";
  switch (publishing) {
    case "open":
      return `${who} may subscribe and publish (--open).`;
    case "given token":
      return `${who} may subscribe. Publishing needs the token in PARTYLINE_TOKEN.`;
    case "made token":
      return `${who} may subscribe. Publishing needs this token, made for this run (PARTYLINE_TOKEN sets another):`;
  }
}

/** A command to copy, over several lines where the terminal is narrow. */
function command(parts: readonly string[], columns: number): string {
  const line = `  ${parts.join(" ")}`;
  return line.length <= columns ? line : `  ${parts.join(" \\\n    ")}`;
}

/** A host to connect to, for an address to listen on. */
function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
