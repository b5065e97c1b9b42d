/** What a probe server runs on: a port of its own, a `node:http` server, or the runtime's fetch host. */
export type HostName = "listen" | "attach" | "fetch";

/** `ok`, or the error. */
export type Outcome = string;

const HTTP = ["publish", "history", "sse", "events", "connect sse", "connect poll", "resume", "gap"] as const;

export type ProbeName = (typeof HTTP)[number] | "connect ws";

const ALL = HTTP.toSpliced(4, 0, "connect ws" as never) as readonly ProbeName[];

/** A fetch host has no WebSockets. */
export const PROBES: Readonly<Record<HostName, readonly ProbeName[]>> = {
  listen: ALL,
  attach: ALL,
  fetch: HTTP,
};
