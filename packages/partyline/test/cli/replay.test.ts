import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli, startCli, startServer } from "./support.ts";

const fixtures = join(import.meta.dirname, "fixtures");
const matchFile = join(fixtures, "match-events.csv");
const quakesFile = join(fixtures, "earthquakes.json");

describe("replay", () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  let url: string;

  beforeAll(async () => {
    server = await startServer();
    ({ url } = server);
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  async function read<T>(channel: string, count: number): Promise<T[]> {
    const args = ["subscribe", channel, "--since", "earliest", "--count", String(count), "--url", url];
    const { stdout } = await runCli(args);
    return stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as T);
  }

  it("publishes a CSV in the order of its times", async () => {
    const args = ["replay", matchFile, "match", "--time", "Start Time [s]", "--speed", "max", "--url", url];
    const { code, stdout, stderr } = await runCli(args);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^[0-9a-z]{12}:40\n$/)]);
    expect(stderr).toMatch(/^40 rows of CSV from .*\n40 messages published in .*\(.*\/s\)\n$/);
    const [header = "", ...lines] = readFileSync(matchFile, "utf8").trimEnd().split("\n");
    const events = await read<Record<string, string>>("match", 40);
    expect(Object.keys(events[0] ?? {})).toEqual(header.split(","));
    expect(events.map((event) => Object.values(event).join(","))).toEqual(
      lines.toSorted((a, b) => Number(a.split(",")[5]) - Number(b.split(",")[5])),
    );
  });

  it("publishes the features of GeoJSON in the order of a nested time", async () => {
    const args = [
      "replay",
      quakesFile,
      "quakes",
      "--time",
      "properties.time",
      "--speed",
      "max",
      "--url",
      url,
    ];
    expect(await runCli(args)).toMatchObject({ code: 0 });
    interface Quake {
      readonly id: string;
      readonly properties: { readonly time: number };
    }
    const { features } = JSON.parse(readFileSync(quakesFile, "utf8")) as { features: Quake[] };
    expect(await read<Quake>("quakes", features.length)).toEqual(
      features.toSorted((a, b) => a.properties.time - b.properties.time),
    );
  });

  it("publishes lines of JSON from stdin in their order", async () => {
    const input = Array.from({ length: 1000 }, (_, n) => `${JSON.stringify({ n })}\n`).join("");
    expect(await runCli(["replay", "-", "stdin", "--url", url], { input })).toMatchObject({ code: 0 });
    expect(await read("stdin", 1000)).toEqual(Array.from({ length: 1000 }, (_, n) => ({ n })));
  });

  it("waits for a row's time, and ends at once when it is interrupted", async () => {
    const input = '{"t":"2026-01-01","n":1}\n{"t":"2026-01-02","n":2}\n';
    await using cli = startCli(["replay", "-", "slow", "--time", "t", "--url", url]);
    cli.end(input);
    expect(await read("slow", 1)).toEqual([{ t: "2026-01-01", n: 1 }]);
    cli.kill("SIGINT");
    expect(await cli.ended).toMatchObject({ code: 130, stdout: "" });
  });

  it("publishes nothing of a file in which a time is missing", async () => {
    const args = ["replay", matchFile, "nothing", "--time", "From.time", "--url", url];
    const { code, stderr } = await runCli(args);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Row 1 has no field "From.time".')]);
    const answer = await fetch(`${url}/channels/nothing`);
    expect(await answer.json()).toMatchObject({ messages: [], position: null });
  });
});
