import { setTimeout as sleep } from "node:timers/promises";
import type { Broker, Clock } from "../../src/core/ports.ts";
import {
  createPartyline,
  type Partyline,
  type PartylineOptions,
  type ServerMessage,
} from "../../src/server.ts";
import { silent } from "../support/line-rig.ts";
import { CHANNEL_NAMES, type ChannelName, CHANNELS } from "./history.ts";
import { ALLOWED_ORIGINS } from "./kinds/kinds.ts";
import { createChaosAuthenticate } from "./kinds/tokens.ts";
import { type ChannelEnd, SERVER_TIMING } from "./world.ts";

/** The options of the server of every history. */
export const SERVER_OPTIONS: PartylineOptions = {
  ...SERVER_TIMING,
  logger: silent,
  origins: ALLOWED_ORIGINS,
  channels: Object.fromEntries(
    CHANNEL_NAMES.map((name) => {
      const { keep, count } = CHANNELS[name];
      return [name, { keep, ...(count === undefined ? {} : { retention: { count } }) }];
    }),
  ),
};

/** A server with the channels of every history, and how to ask it where they end. */
export function createChaosServer(options: { readonly broker: Broker; readonly clock?: Clock }) {
  const authenticate = createChaosAuthenticate((ms) => sleep(ms));
  const server = createPartyline({ ...SERVER_OPTIONS, authenticate, ...options });
  return { server, ends: (name: ChannelName): Promise<ChannelEnd> => readEnd(server, name) };
}

/** Reads all that a channel keeps. */
export async function readEnd(server: Partyline, name: ChannelName): Promise<ChannelEnd> {
  const channel = server.channel(name);
  const kept: ServerMessage[] = [];
  for (let since = "earliest"; ;) {
    const page = await channel.history({ since, limit: 1000 });
    kept.push(...page.messages);
    if (!page.more || page.position === undefined) return { head: page.head, kept };
    since = page.position;
  }
}
