import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli, startCli, startServer } from "./support.ts";

describe("publish and subscribe", () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  let url: string;

  beforeAll(async () => {
    server = await startServer();
    ({ url } = server);
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  it("publishes one message and prints its position", async () => {
    const { code, stdout, stderr } = await runCli(["publish", "one", '{"text":"hi"}', "--url", url]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^[0-9a-z]{12}:1\n$/);
  });

  it("publishes each line of stdin but the empty ones, in order", async () => {
    const lines = Array.from({ length: 3000 }, (_, index) =>
      index % 2 === 0 ? `line ${index}` : `{"n":${index}}`,
    );
    const input = `${lines.join("\n")}\n\n`;
    const { code, stdout, stderr } = await runCli(["publish", "many", "-", "--url", url], { input });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^3,000 messages published in /)]);
    expect(stdout).toMatch(/^[0-9a-z]{12}:3000\n$/);
    const read = await runCli(["subscribe", "many", "--since", "earliest", "--count", "3000", "--url", url]);
    expect([read.code, read.stderr]).toEqual([0, ""]);
    expect(read.stdout).toBe(`${lines.join("\n")}\n`);
  });

  it.for(["ws", "sse", "poll"])("follows a channel over %s, what was and what comes", async (transport) => {
    const name = `follow/${transport}`;
    await runCli(["publish", name, "before", "--url", url]);
    await using cli = startCli([
      "subscribe",
      name,
      "--since",
      "earliest",
      "--transport",
      transport,
      "--url",
      url,
    ]);
    await cli.until("stdout", /^before\n/);
    await runCli(["publish", name, "--url", url], { input: "after\ntwo\u001b[2J words\n" });
    await cli.until("stdout", /^before\nafter\n"two\\u001b\[2J words"\n$/);
    cli.kill("SIGINT");
    expect(await cli.ended).toMatchObject({ code: 130, stderr: "" });
  });

  it("prints objects for programs, of several channels", async () => {
    await runCli(["publish", "json/a", '{"a":1}', "--url", url]);
    await runCli(["publish", "json/b", "text", "--url", url]);
    const args = [
      "subscribe",
      "json/a",
      "json/b",
      "--since",
      "last:1",
      "--json",
      "--count",
      "2",
      "--url",
      url,
    ];
    const { code, stdout } = await runCli(args);
    const messages = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { channel: string });
    expect(code).toBe(0);
    expect(messages.toSorted((x, y) => x.channel.localeCompare(y.channel))).toEqual([
      expect.objectContaining({ channel: "json/a", kind: "json", data: { a: 1 } }),
      expect.objectContaining({ channel: "json/b", kind: "text", data: "text" }),
    ]);
  });

  it("begins each line with its channel where there are several", async () => {
    await runCli(["publish", "lines/a", "hello", "--url", url]);
    const args = ["subscribe", "lines/a", "lines/b", "--since", "earliest", "--count", "1", "--url", url];
    expect((await runCli(args)).stdout).toBe("lines/a\thello\n");
  });

  it("tells a gap on stderr and goes on", async () => {
    const { stdout } = await runCli(["publish", "gap", "kept", "--url", url]);
    const args = ["subscribe", "gap", "--since", "000000000000:5", "--count", "1", "--url", url];
    const read = await runCli(args);
    expect(read).toMatchObject({ code: 0, stdout: "kept\n" });
    expect(read.stderr).toBe(
      `gap: messages of gap missed (epoch); going on behind ${stdout.replace(/1\n$/, "0")}\n`,
    );
  });

  it("hands on the bytes of JSON as they came, in both directions", async () => {
    const rows = [
      '{"n":12345678901234567890,"b":1.0,"b":1e400}',
      '[1,"a\u2028b\u2029c"]',
      '{"a": "\\u0041"}',
    ];
    const input = `\uFEFF${rows.join("\r\n")}\r\n`;
    expect(await runCli(["publish", "exact", "-", "--url", url], { input })).toMatchObject({ code: 0 });
    expect(await runCli(["replay", "-", "exact", "--url", url], { input })).toMatchObject({ code: 0 });
    const answer = await fetch(`${url}/channels/exact`);
    const stored = await answer.text();
    for (const row of rows) expect(stored.split(row)).toHaveLength(3);
    const args = ["subscribe", "exact", "--since", "earliest", "--count", "6", "--url", url, "--json"];
    const lines = (await runCli(args)).stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.slice(line.indexOf('"data":') + 7, -1))).toEqual([...rows, ...rows]);
  });

  it("takes a lone CR, U+2028 and U+2029 for a part of a text", async () => {
    const input = "one\rline\nof\u2028two\u2029\n";
    expect(await runCli(["publish", "cr", "-", "--url", url], { input })).toMatchObject({ code: 0 });
    const { stdout } = await runCli([
      ...["subscribe", "cr", "--since", "earliest", "--count", "2", "--url", url],
    ]);
    expect(stdout).toBe('"one\\rline"\n"of\\u2028two\\u2029"\n');
  });

  it("publishes the lines before one that is not UTF-8, and ends with its number", async () => {
    await using cli = startCli(["publish", "latin", "-", "--url", url]);
    cli.end(Buffer.from("fine\ncaf\u00e9\nnever\n", "latin1"));
    const { code, stderr } = await cli.ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining("Line 2 is not UTF-8.")]);
    const answer = await fetch(`${url}/channels/latin`);
    expect(
      ((await answer.json()) as { messages: { data: string }[] }).messages.map(({ data }) => data),
    ).toEqual(["fine"]);
  });

  it("subscribes to 24 busy channels through a slow pipe without a warning", async () => {
    const names = Array.from({ length: 24 }, (_, index) => `busy/${index}`);
    const body = "x".repeat(30_000);
    for (const name of [...names, ...names, ...names])
      await fetch(`${url}/channels/${name}`, { method: "POST", body });
    const args = ["subscribe", ...names, "--since", "earliest", "--count", "72", "--json", "--url", url];
    const { code, stdout, stderr } = await runCli(args);
    expect([code, stderr, stdout.split("\n").length]).toEqual([0, "", 73]);
  });

  it("refuses a message that is too large, with the server's words", async () => {
    const { code, stdout, stderr } = await runCli(["publish", "large", "-", "--url", url], {
      input: `small\n${"x".repeat(70_000)}\n`,
    });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/too-large/);
  });

  it("ends quietly when nobody reads its output any more", async () => {
    await runCli(["publish", "pipe", "--url", url], { input: "a\nb\nc\n" });
    await using cli = startCli(["subscribe", "pipe", "--since", "earliest", "--url", url]);
    await cli.until("stdout", /a\n/);
    cli.closeOutput();
    await runCli(["publish", "pipe", "--url", url], { input: "d\ne\nf\n" });
    expect(await cli.ended).toMatchObject({ code: 0, stderr: "" });
  });
});
