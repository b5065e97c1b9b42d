/**
 * Deploys under load: a crowd of our clients on all transports, a publisher that does not wait, and servers in
 * processes of their own whose past is in that of a broker. `CLIENTS=1000 CAP=250 RATE=4 npx vitest run deploys` is the full
 * size; docs/reliability.md has its figures.
 */
import { describe, expect, it, type TestContext } from "vitest";
import { gatherCrowd, startPublisher } from "./support/deploy/crowd.ts";
import { openFront } from "./support/deploy/front.ts";
import { lacks, LOAD_BALANCERS, startLoadBalancer } from "./support/deploy/proxies.ts";
import { freePort } from "./support/free-port.ts";
import type { ServerOrders } from "./support/deploy/messages.ts";
import { type ServerProcess, startServerProcess } from "./support/deploy/server-process.ts";
import { startBrokerProcess } from "./support/broker-process/index.ts";

const CLIENTS = Number(process.env["CLIENTS"] ?? 30);
/** Messages a second. */
const RATE = Number(process.env["RATE"] ?? 20);
/** Attaches a second that the server lets in which everybody comes to at once; each client has two. */
const CAP = Number(process.env["CAP"] ?? 2 * CLIENTS);
const BURST = Math.ceil(CAP / 5);
const TIMEOUT = 30_000 + CLIENTS * 200;

/** A server that ends with the test at the latest. */
async function start(context: TestContext, orders: ServerOrders): Promise<ServerProcess> {
  const server = await startServerProcess(orders);
  context.onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** Figures for people: shown where the size was chosen. */
function tell(what: string, figures: object): void {
  if (process.env["CLIENTS"] !== undefined) process.stdout.write(`${what} ${JSON.stringify(figures)}\n`);
}

// Next to each other: they do little but wait.
describe.concurrent(`a deploy under ${CLIENTS} clients`, { timeout: TIMEOUT }, () => {
  it("restarts the one server there is: nothing lost, nothing doubled, and they come back at its rate [LIM-3]", async (context) => {
    await using held = startBrokerProcess();
    const past = await held.open();
    const first = await start(context, { broker: past });
    const url = `http://127.0.0.1:${first.port}`;
    await using crowd = gatherCrowd(url, CLIENTS);
    context.signal.addEventListener("abort", () => tell("missing", crowd.missing()));
    await crowd.attached();
    await using publisher = startPublisher(url, RATE);
    await first.terminate();

    const begun = performance.now();
    const limits = { attachesPerSecond: CAP, attachBurst: BURST };
    const second = await start(context, { broker: past, port: first.port, limits });
    await crowd.attached();
    const seconds = (performance.now() - begun) / 1_000;
    const published = await publisher.stop();
    await crowd.reach(published);

    const report = await second.report();
    tell("restarted", { clients: CLIENTS, cap: CAP, burst: BURST, seconds, told: crowd.told, ...report });
    expect(crowd.troubles).toEqual([]);
    expect(report.arrived).toBeGreaterThanOrEqual(CLIENTS);
    expect(report.arrived).toBeLessThanOrEqual(BURST + CAP * (report.arriving + 0.1));
  });

  it("drains one of two servers: nobody is without a live connection at any moment [DRAIN-2, DRAIN-3]", async (context) => {
    await using held = startBrokerProcess();
    const past = await held.open();
    await using front = await openFront();
    const old = await start(context, { broker: past, drain: { within: "25s" } });
    await front.add(old.port);
    await using crowd = gatherCrowd(front.url, CLIENTS);
    context.signal.addEventListener("abort", () => tell("missing", crowd.missing()));
    await crowd.attached();
    await using publisher = startPublisher(front.url, RATE);
    await publisher.entered;
    const next = await start(context, { broker: past });
    await front.add(next.port);

    const { code, ...end } = await old.terminate();
    const published = await publisher.stop();
    await crowd.reach(published);

    const { connections, peak } = await next.report();
    tell("drained", { clients: CLIENTS, told: crowd.told, ...end, now: { connections, peak } });
    expect(crowd.troubles).toEqual([]);
    expect([...crowd.breaks, ...publisher.breaks]).toEqual([]);
    expect(code).toBe(0);
    expect(end.connections).toBe(0);
  });
});

describe.concurrent("a rolling deploy of two servers", () => {
  it.for(LOAD_BALANCERS)(
    "goes unnoticed behind $name as docs/deploying.md configures it [DRAIN-10]",
    { timeout: 60_000 },
    async (kind, context) => {
      const missing = lacks(kind);
      context.skip(missing !== undefined, missing);
      await using held = startBrokerProcess();
      const past = await held.open();
      const drain = { within: "25s" } as const;
      const ports = [await freePort(), await freePort()] as const;
      const servers = await Promise.all(ports.map((port) => start(context, { broker: past, port, drain })));
      await using balancer = await startLoadBalancer(kind, ports);
      await using crowd = gatherCrowd(balancer.url, 12);
      await crowd.attached();
      await using publisher = startPublisher(balancer.url, RATE);
      await publisher.entered;

      const codes: number[] = [];
      for (const [index, port] of ports.entries()) {
        codes.push((await servers[index]?.terminate())?.code ?? NaN);
        const next = await start(context, { broker: past, port, drain });
        // The other one goes when the load balancer knows this one: a request is led to it in its turn.
        while ((await next.report()).arrived === 0) await fetch(`${balancer.url}/channels/all?wait=0`);
      }
      await crowd.reach(await publisher.stop());
      expect(crowd.troubles).toEqual([]);
      expect([...crowd.breaks, ...publisher.breaks]).toEqual([]);
      expect(codes).toEqual([0, 0]);
    },
  );
});
