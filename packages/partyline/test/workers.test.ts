/** Real processes: a main process with a broker, and workers that serve. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../src/client/index.ts";
import { createDisposables } from "./support/disposables.ts";
import { gatherCrowd, startPublisher } from "./support/deploy/crowd.ts";
import { FOLLOWERS } from "./support/followers.ts";
import { freePort } from "./support/free-port.ts";
import { gone, startWorkers } from "./support/workers/index.ts";

const EACH = 25;

describe("workers", () => {
  const program = startWorkers({ workers: 2 });
  const pids: number[] = [];
  let urls: readonly [string, string];

  beforeAll(async () => {
    const both = [await program.worker(), await program.worker()];
    pids.push(...both.map(({ pid }) => pid));
    urls = [`http://127.0.0.1:${both[0]?.port}`, `http://127.0.0.1:${both[1]?.port}`];
    await program.ready();
  });
  afterAll(() => program[Symbol.asyncDispose]());

  it("have one order for all readers, whichever worker they and their publishers are at", async () => {
    await using all = createDisposables();
    const followers = urls.flatMap((url) =>
      FOLLOWERS.map(({ follow }) => all.use(follow({ url, channel: "a", since: "earliest" }))),
    );
    await Promise.all(followers.map(({ opened }) => opened));
    await Promise.all(
      urls.map(async (url, publisher) => {
        const channel = all.use(createClient(url)).channel("a");
        for (let n = 0; n < EACH; n++) await channel.publish(`${publisher}:${n}`, { kind: "text" });
      }),
    );
    const told = await Promise.all(
      followers.map(async (follower) => {
        const texts: string[] = [];
        while (texts.length < 2 * EACH) texts.push(await follower.next());
        return texts;
      }),
    );
    const [order = []] = told;
    for (const texts of told) expect(texts).toEqual(order);
    expect(new Set(order).size).toBe(2 * EACH);
  });

  it("know each other's publish ids [PUB-1]", async () => {
    const [one, other] = urls;
    const publish = async (url: string, body: string): Promise<unknown> => {
      const headers = { "idempotency-key": "once", "content-type": "text/plain" };
      const answer = await fetch(`${url}/channels/ids`, { method: "POST", body, headers });
      return answer.json();
    };
    const first = (await publish(one, "hello")) as { position: string };
    expect(await publish(other, "hello")).toMatchObject({ position: first.position, duplicate: true });
    expect(await publish(other, "something else")).toMatchObject({ code: "id-reused" });
  });

  it("end with their main process, however that ends", async () => {
    program.kill("SIGKILL");
    await Promise.all(pids.map(gone));
  });
});

describe.concurrent("workers that die", () => {
  it("cost their clients no message, and are replaced", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await using program = startWorkers({ workers: 2, port });
    const { pid } = await program.worker();
    await program.worker();
    await program.ready();
    await using crowd = gatherCrowd(url, 12);
    await crowd.attached();
    await using publisher = startPublisher(url, 100);
    await publisher.entered;
    process.kill(pid, "SIGKILL");
    await program.worker();
    await crowd.attached();
    await crowd.reach(await publisher.stop());
    expect(crowd.troubles).toEqual([]);
    const { reports, counters } = await program.report();
    expect(counters).toEqual({ started: 3, died: 1, broken: 0 });
    expect(reports.map(({ losses }) => losses)).toEqual([0, 0]);
    const connections = reports.map((report) => report.connections);
    expect(connections.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(9);
  });

  it("before they serve are told once, and end the program", async () => {
    await using program = startWorkers({ workers: 4, dies: "at start" });
    const { code, stderr } = await program.ended;
    expect(code).toBe(1);
    expect(stderr.match(/A worker ended with code 7 before it served/g)).toHaveLength(1);
  });

  it("as they start are tried a few times, later and later, before the program ends", async () => {
    await using program = startWorkers({ workers: 1, dies: "soon" });
    const { code, stderr } = await program.ended;
    expect(code).toBe(1);
    const waits = [...stderr.matchAll(/another one takes its place .*"inMs":(\d+)/g)].map(([, ms]) =>
      Number(ms),
    );
    expect(waits).toEqual([100, 200, 400, 800]);
    expect(stderr).toMatch(/The workers die as they start: the last one ended with code 7/);
  });
});
