import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CLOSE, mayReconnect } from "./close-codes.ts";
import { ERRORS } from "./errors.ts";

const protocol = readFileSync(new URL("../../../../PROTOCOL.md", import.meta.url), "utf8");

describe("the close codes", () => {
  it("are those of PROTOCOL.md, with who comes back [CLOSE-1, CLOSE-2]", () => {
    const rows = [...protocol.matchAll(/^\| (\d{4}) \| *(with backoff)? *\| .+ \|$/gm)];
    const documented = rows.map(([, code, again]) => [Number(code), again !== undefined]);
    expect(documented).toEqual(Object.values(CLOSE).map((code) => [code, mayReconnect(code)]));
  });

  it("are numbers of their own", () => {
    expect(new Set(Object.values(CLOSE)).size).toBe(Object.keys(CLOSE).length);
  });

  it("hold those that errors close with [ERR-1]", () => {
    const known: readonly number[] = Object.values(CLOSE);
    expect(Object.values(ERRORS).filter(({ close }) => !known.includes(close))).toEqual([]);
  });

  it("decide by their range who comes back [CLOSE-1]", () => {
    const all = Array.from({ length: 4000 }, (_, index) => 1000 + index);
    const final = all.filter((code) => !mayReconnect(code));
    expect(final).toEqual(Array.from({ length: 100 }, (_, index) => 4400 + index));
  });
});
