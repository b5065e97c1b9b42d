import { describe, expect, it } from "vitest";
import {
  parseChannel,
  parseChannels,
  parseCount,
  parseHostname,
  parseOrigin,
  parsePort,
  parseSeconds,
  parseSinceText,
  parseSpeed,
  parseUrl,
} from "./parse-options.ts";

const refused = expect.objectContaining({ code: "commander.invalidArgument" }) as Error;

describe("what is typed", () => {
  it.for(["0", "8080", "65535"])("takes %j for a port", (text) => {
    expect(parsePort(text)).toBe(Number(text));
  });

  it.for(["", "-1", "65536", "80 ", "1e3", "http"])("refuses %j as a port", (text) => {
    expect(() => parsePort(text)).toThrow(refused);
  });

  it.for(["0", "-1", "1.5", "", "ten", "99999999999999999"])("refuses %j as a count", (text) => {
    expect(() => parseCount(text)).toThrow(refused);
  });

  it("takes a speed as a factor, max and 0 as no waiting", () => {
    expect(["60", "60x", "0.5", "max", "0"].map(parseSpeed)).toEqual([60, 60, 0.5, Infinity, Infinity]);
    for (const text of ["", "-1", "fast", "NaN", "Infinity"]) expect(() => parseSpeed(text)).toThrow(refused);
  });

  it("takes a time in seconds, which may be none", () => {
    expect(["0", "25", "0.5"].map(parseSeconds)).toEqual([0, 25, 0.5]);
    for (const text of ["", "-1", "5s", "1e3", "NaN", "."]) expect(() => parseSeconds(text)).toThrow(refused);
  });

  it("takes a server's address with or without a scheme", () => {
    expect(
      ["localhost:1234", "https://a.example/x", "ws://[::1]:80"].map((text) => parseUrl(text).href),
    ).toEqual(["http://localhost:1234/", "https://a.example/x", "ws://[::1]/"]);
    for (const text of ["", "ftp://a", "http://", "a b"]) expect(() => parseUrl(text)).toThrow(refused);
  });

  it("takes origins one after the other, and `*` for all", () => {
    expect(parseOrigin("*", parseOrigin("https://b.example", parseOrigin("http://LOCALHOST:80")))).toEqual([
      "http://LOCALHOST:80",
      "https://b.example",
      "*",
    ]);
    for (const text of ["null", "localhost:5173", "https://a.example/page", "file:///x"])
      expect(() => parseOrigin(text)).toThrow(refused);
  });

  it("takes names of the server one after the other", () => {
    expect(parseHostname("[::1]:8080", parseHostname("App.Example"))).toEqual(["App.Example", "[::1]:8080"]);
    for (const text of ["", "http://a.example", "a.example/", "a b", "u@a.example", "a:b"])
      expect(() => parseHostname(text)).toThrow(refused);
  });

  it("takes channel names as the server does", () => {
    expect(parseChannels("b/c", parseChannels("a"))).toEqual(["a", "b/c"]);
    for (const text of ["", "a//b", "a*", ".."]) expect(() => parseChannel(text)).toThrow(refused);
  });

  it("takes a since as the server does", () => {
    expect(["earliest", "now", "last:5", "0123456789ab:7", ""].map(parseSinceText)).toEqual([
      "earliest",
      "now",
      "last:5",
      "0123456789ab:7",
      undefined,
    ]);
    for (const text of ["yesterday", "last:", "7"]) expect(() => parseSinceText(text)).toThrow(refused);
  });
});
