import { describe, expect, it } from "vitest";
import { createGate, type GateRules } from "./gate.ts";

const RULES: GateRules = { hosts: [], origins: [], loopback: true };

/** What the gate says to a request with these headers: the code of its refusal, or the origin it allows. */
function ask(headers: Record<string, string>, rules: Partial<GateRules> = {}): string {
  const gate = createGate({ ...RULES, ...rules });
  try {
    return gate({ header: (name) => headers[name] }) ?? "own";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("the gate", () => {
  it.each([
    ["localhost", "own"],
    ["LOCALHOST:8080", "own"],
    ["app.localhost:1", "own"],
    ["127.0.0.1:8080", "own"],
    ["127.8.9.1", "own"],
    ["[::1]:8080", "own"],
    ["example.com", "foreign-host"],
    ["127.0.0.1.example.com", "foreign-host"],
    ["localhost.example.com", "foreign-host"],
    ["", "foreign-host"],
  ])("on loopback, to the host %j, says %s [GATE-3]", (host, said) => {
    expect(ask({ host })).toBe(said);
  });

  it("lets the names pass that it is told, with any port or with theirs alone [GATE-2]", () => {
    const rules = { hosts: ["app.example", "b.example:444"] };
    expect(ask({ host: "App.Example:8080" }, rules)).toBe("own");
    expect(ask({ host: "b.example:444" }, rules)).toBe("own");
    expect(ask({ host: "b.example" }, rules)).toBe("foreign-host");
    expect(ask({ host: "localhost" }, rules)).toBe("foreign-host");
  });

  it("elsewhere, where it is told none, lets any name pass [GATE-3]", () => {
    expect(ask({ host: "whatever.example" }, { loopback: false })).toBe("own");
  });

  it.each([
    ["localhost:8080", "http://localhost:8080", "own"],
    ["localhost:8080", "https://localhost:8080", "own"],
    ["localhost:443", "https://localhost", "own"],
    ["localhost", "http://localhost:80", "own"],
    ["localhost:8080", "http://localhost:8081", "foreign-origin"],
    ["localhost:8080", "http://127.0.0.1:8080", "foreign-origin"],
    ["localhost:8080", "null", "foreign-origin"],
    ["localhost:8080", "", "foreign-origin"],
    ["localhost:8080", "localhost:8080", "foreign-origin"],
  ])("at %j, to the origin %j, says %s [GATE-4]", (host, origin, said) => {
    expect(ask({ host, origin })).toBe(said);
  });

  it("knows the origins that it is told, and their scheme and port count [GATE-4]", () => {
    const rules = { origins: ["https://app.example"] };
    expect(ask({ host: "localhost", origin: "https://app.example" }, rules)).toBe("https://app.example");
    for (const origin of ["http://app.example", "https://app.example:444", "https://x.app.example", "null"])
      expect(ask({ host: "localhost", origin }, rules)).toBe("foreign-origin");
    expect(ask({ host: "localhost", origin: "https://any.example" }, { origins: ["*"] })).toBe(
      "https://any.example",
    );
  });

  it("knows its own page by the browser's word, where a proxy has changed the host [GATE-4]", () => {
    const said = (origin: string, site: string): string =>
      ask({ host: "127.0.0.1:8080", origin, "sec-fetch-site": site });
    expect(said("https://app.example", "same-origin")).toBe("own");
    for (const site of ["same-site", "cross-site", "none", ""])
      expect(said("https://app.example", site)).toBe("foreign-origin");
    expect(said("null", "same-origin")).toBe("foreign-origin");
  });

  it("goes by what the browser says of the site where there is no origin [GATE-5, GATE-6]", () => {
    const said = (site: string): string => ask({ host: "localhost", "sec-fetch-site": site });
    expect(["cross-site", "same-site", "same-origin", "none"].map(said)).toEqual([
      "foreign-origin",
      "foreign-origin",
      "own",
      "own",
    ]);
    expect(ask({ host: "localhost" })).toBe("own");
  });

  it("refuses to be told what is no origin", () => {
    for (const origin of ["app.example", "https://app.example/path", "null"])
      expect(() => createGate({ ...RULES, origins: [origin] })).toThrow(TypeError);
  });
});
