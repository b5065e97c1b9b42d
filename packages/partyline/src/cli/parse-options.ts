import { InvalidArgumentError } from "commander";
import { parseChannelName } from "../protocol/channel-name.ts";
import { parseHost, parseOrigin as parseOriginText } from "../protocol/host.ts";
import { PartylineError } from "../protocol/errors.ts";
import { formatSince, parseSince } from "../protocol/position.ts";

/** A port; 0 lets the system choose one. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError("A port is 0 to 65535.");
  return port;
}

/** An address or a name to listen on; an empty one would be every address of this machine. */
export function parseAddress(text: string): string {
  if (text.trim() === "")
    throw new InvalidArgumentError("It is an address of this machine, such as 127.0.0.1.");
  return text;
}

/** A whole number from 1. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("It is a whole number from 1.");
  return count;
}

/** A time, which may be none. */
export function parseSeconds(text: string): number {
  if (!/^\d{1,6}(?:\.\d{1,3})?$/.test(text))
    throw new InvalidArgumentError("It is a number of seconds, such as 25.");
  return Number(text);
}

/** `60` is 60 times as fast; `max` or `0`: without waiting. */
export function parseSpeed(text: string): number {
  if (text === "max") return Number.POSITIVE_INFINITY;
  const speed = Number(text.replace(/x$/, ""));
  if (text.trim() === "" || !Number.isFinite(speed) || speed < 0)
    throw new InvalidArgumentError("It is a number such as 60 or 0.5, or max.");
  return speed === 0 ? Number.POSITIVE_INFINITY : speed;
}

/** The server's address; `host:port` is enough. */
export function parseUrl(text: string): URL {
  const full = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (!url || !["http:", "https:", "ws:", "wss:"].includes(url.protocol))
    throw new InvalidArgumentError("It looks like http://127.0.0.1:8080.");
  return url;
}

/** What a browser sends as `Origin`: scheme and host, without a path. May be given several times. */
export function parseOrigin(text: string, before: readonly string[] = []): readonly string[] {
  if (text !== "*" && parseOriginText(text) === undefined)
    throw new InvalidArgumentError("It looks like https://app.example.org.");
  return [...before, text];
}

/** What browsers send as `Host`: a name, with its port where that is to count. May be given several times. */
export function parseHostname(text: string, before: readonly string[] = []): readonly string[] {
  if (!parseHost(text))
    throw new InvalidArgumentError("It looks like app.example.org, or app.example.org:8080.");
  return [...before, text];
}

export function parseChannel(text: string): string {
  return refusedAsUsage(() => parseChannelName(text));
}

export function parseChannels(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, parseChannel(text)];
}

/** A `since`, in its text form. */
export function parseSinceText(text: string): string | undefined {
  return refusedAsUsage(() => {
    const since = parseSince(text);
    return since && formatSince(since);
  });
}

function refusedAsUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof PartylineError) throw new InvalidArgumentError(`${error.message} ${error.remedy}`);
    throw error;
  }
}
