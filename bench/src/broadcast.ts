/** What benchmarks share in which messages are published to many readers. */
import type { Figures } from "./benchmark.ts";
import type { LoadOrder, Opened, Phase, PublishOrder } from "./load/order.ts";
import { type Child, start } from "./processes.ts";
import { residentMegabytes } from "./usage.ts";
import type { Peer } from "./peers.ts";
import { type Running, serve } from "./servers.ts";

/** Readers and publishers, in a process on the other core. */
export interface Crowd extends AsyncDisposable {
  readonly opened: Opened;
  publish(order: PublishOrder): Promise<Phase>;
}

/** Opens readers; throws where not all could be. */
export async function gather(
  { port, child }: Running,
  order: Pick<LoadOrder, "wire" | "connections" | "channels" | "awaits">,
): Promise<Crowd> {
  const whole: LoadOrder = { port, server: child.pid, ...order };
  const load: Child = start("load/main.ts", "load", { args: [JSON.stringify(whole)] });
  try {
    const opened = await load.next<Opened>(90_000);
    if (opened.failed > 0)
      throw new Error(
        `${opened.failed} of ${order.connections} connections could not be opened (is \`ulimit -n\` above that?)`,
      );
    return {
      opened,
      async publish(publishing) {
        load.tell(publishing);
        return load.next<Phase>((publishing.seconds + 60) * 1_000);
      },
      [Symbol.asyncDispose]: () => load[Symbol.asyncDispose](),
    };
  } catch (error) {
    await load[Symbol.asyncDispose]();
    throw error;
  }
}

export interface Broadcast {
  readonly readers: number;
  readonly channels: number;
  readonly rate: number;
  readonly size: number;
  /** Seconds before anything is measured, and while it is. */
  readonly warm: number;
  readonly seconds: number;
  /** Connections that post; 0: the readers publish themselves. */
  readonly publishers: number;
}

/** One server, once. */
export async function broadcast(peer: Peer, load: Broadcast): Promise<Figures> {
  const { readers, channels, warm, seconds, publishers, rate, size } = load;
  await using server = await serve(peer.server);
  await using crowd = await gather(server, { wire: peer.wire, connections: readers, channels });
  const order = {
    rate,
    size,
    ...(publishers > 0 && { posts: { path: peer.publish, connections: publishers } }),
  };
  const before = await crowd.publish({ ...order, seconds: warm });
  const phase = await crowd.publish({ ...order, seconds });
  const figures = phaseFigures(phase);
  // What came late from before was counted with the rest.
  const lost = before.expected - before.received + (figures["lost"] ?? 0);
  return { ...figures, lost, rss: residentMegabytes(server.child.pid) };
}

/** The figures of {@link COLUMNS}. */
export function phaseFigures(phase: Phase): Figures {
  const { received, expected, refused, seconds, cpu, load, p50, p99, bytes } = phase;
  return {
    cpuPerDelivery: cpu / received,
    rate: received / seconds,
    lost: expected - received,
    refused,
    p50,
    p99,
    bytes: bytes / received,
    server: (cpu / 1e6 / seconds) * 100,
    load: load * 100,
  };
}
