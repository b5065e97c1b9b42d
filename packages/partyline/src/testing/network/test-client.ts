import type { Channel, ChannelOptions } from "../../client/channel-types.ts";
import type { Client, ClientOptions } from "../../client/client-types.ts";
import type { Definitions, TypedClient } from "../../client/typed-client.ts";
import type { Broker } from "../../core/ports.ts";
import { formatPosition } from "../../protocol/position.ts";
import type { Faults } from "../line/faults.ts";
import type { ClientPlace, MediumLine } from "./medium.ts";
import { hostOf, type TestServer } from "./test-server.ts";

/** The line of one client: faults on it are no other client's. */
export interface TestLine extends Faults {
  /** Connections that are open now, those included of which one end or both hear nothing any more. */
  readonly connections: number;
  /** Of the server, over this line. */
  readonly url: string;
  /** Requests over this line, to `url`: for what is no client of ours. */
  readonly fetch: typeof fetch;
  /** Leads new connections to another server; those that are open stay where they are. */
  leadTo(server: TestServer): void;
}

/** How a {@link TestClient} connects. */
export interface TestClientOptions extends Omit<ClientOptions, "fetch" | "WebSocket"> {
  /** Where its line leads. Default: the network's first server. */
  readonly server?: TestServer;
}

/** As {@link TestClientOptions}, for a client with surroundings of its own. */
export interface PlacedClientOptions extends TestClientOptions, ClientPlace {}

/** A client of a test network, with a line of its own. */
export type TestClient = Client & { readonly line: TestLine };

/** A {@link TestClient} whose channels know their messages by their names. */
export type TypedTestClient<D extends Definitions> = TypedClient<D> & { readonly line: TestLine };

/** A client, and what is known of it from outside. */
export interface Followed {
  readonly client: TestClient;
  readonly line: MediumLine;
  /** Those that somebody has asked it for. */
  readonly channels: ReadonlyMap<string, Channel>;
}

/** Gives the client its line, and looks on. */
export function followClient(client: Client, line: MediumLine): Followed {
  const channels = new Map<string, Channel>();
  const open = client.channel.bind(client);
  const testLine: TestLine = {
    ...line.faults,
    get connections() {
      return line.connections;
    },
    url: line.url,
    fetch: line.fetch,
    leadTo: (server) => line.leadTo(hostOf(server)),
  };
  const channel = <T>(name: string, options?: ChannelOptions): Channel<T> => {
    const opened = open<T>(name, options);
    channels.set(opened.name, opened);
    return opened;
  };
  return { client: Object.assign(client, { line: testLine, channel }), line, channels };
}

/** What of these clients is not where it will be if nothing else happens; `undefined` where all of it is. */
export async function firstUnsettled(
  clients: Iterable<Followed>,
  broker: Broker,
): Promise<string | undefined> {
  for (const { client, line, channels } of clients) {
    if (line.blocked) continue;
    const { status } = client.state;
    if (status !== "live" || line.connections === 0) return `a client is ${status}`;
    const names = [...channels.keys()];
    const heads = await broker.heads(names);
    for (const [index, name] of names.entries()) {
      const channel = channels.get(name);
      if (!channel) continue;
      const head = heads[index];
      if (channel.pending.length > 0) return `a publish to ${name} is not settled`;
      if (channel.state.status === "attaching") return `${name} is not attached`;
      const behind = head !== undefined && channel.position !== formatPosition(head.position);
      if (channel.state.status === "attached" && behind) return `a reader of ${name} is behind`;
    }
  }
  return undefined;
}
