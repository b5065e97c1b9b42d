import { describe, expect, it } from "vitest";
import { readLines } from "./read-lines.ts";

async function lines(...chunks: (string | readonly number[])[]): Promise<string[]> {
  async function* bytes(): AsyncGenerator<Uint8Array, void> {
    for (const chunk of chunks)
      yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : Uint8Array.from(chunk);
    await Promise.resolve();
  }
  const found: string[] = [];
  for await (const line of readLines(bytes())) found.push(line);
  return found;
}

describe("lines of standard input", () => {
  it.for([
    ["a\nb", ["a", "b"]],
    ["a\r\nb\r\n", ["a", "b"]],
    ["a\rb\n", ["a\rb"]],
    ["a\u2028b\u2029c\u0085d\n", ["a\u2028b\u2029c\u0085d"]],
    ["a\n\nb\n", ["a", "", "b"]],
    ["\uFEFF{}\n\uFEFF{}\n", ["{}", "\uFEFF{}"]],
    ["", []],
  ] as const)("end at LF or CRLF only: %j", async ([text, expected]) => {
    expect(await lines(text)).toEqual(expected);
  });

  it("are the same however the bytes arrive", async () => {
    const bytes = [...new TextEncoder().encode("\uFEFFé\r\n漢字\nlast")];
    expect(await lines(...bytes.map((byte) => [byte]))).toEqual(["é", "漢字", "last"]);
  });

  it("are refused with their number if they are not UTF-8", async () => {
    await expect(lines("fine\n", [0x63, 0x61, 0x66, 0xe9, 0x0a])).rejects.toThrow("Line 2 is not UTF-8.");
  });

  it("are refused if they are longer than 16 MiB", async () => {
    await expect(lines("x".repeat(16 * 1024 * 1024 + 1))).rejects.toThrow(
      "Line 1 is longer than 16777216 bytes.",
    );
  });
});
