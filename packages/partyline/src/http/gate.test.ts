import { describe, expect, it } from "vitest";
import { createGate, type GateRules } from "./gate.ts";
import type { AllowedOrigin } from "./headers.ts";

const RULES: GateRules = { hosts: [], origins: [], loopback: () => true };

/** What the gate says to a request with these headers: the code of its refusal, or the origin it allows. */
function ask(headers: Record<string, string>, rules: Partial<GateRules> = {}): string {
  const allowed = askAll(headers, rules);
  return typeof allowed === "string" ? allowed : allowed.origin;
}

function askAll(headers: Record<string, string>, rules: Partial<GateRules>): string | AllowedOrigin {
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
    ["[0:0:0:0:0:0:0:1]", "own"],
    ["[::ffff:127.0.0.1]:1", "own"],
    ["0x7f000001", "own"],
    ["localhost.", "own"],
    ["127.1", "own"],
    ["[::2]", "foreign-host"],
    ["localhost/", "bad-frame"],
    ["a@localhost", "bad-frame"],
    ["localhost:80:80", "bad-frame"],
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

  it.each([
    ["app.example.", "app.example"],
    ["app.example", "app.example."],
    ["bücher.example", "xn--bcher-kva.example"],
    ["app.example:443", "app.example"],
    ["app.example", "app.example:443"],
    ["app.example:8443", "APP.example.:8443"],
    ["[0:0::1]", "[::1]:8080"],
  ])("takes the host %j for %j [GATE-12]", (host, asked) => {
    expect(ask({ host: asked }, { hosts: [host] })).toBe("own");
  });

  it("does not take a host with a default port for one with another [GATE-12]", () => {
    expect(ask({ host: "app.example:8080" }, { hosts: ["app.example:443"] })).toBe("foreign-host");
  });

  it("elsewhere, where it is told none, lets any name pass [GATE-3]", () => {
    expect(ask({ host: "whatever.example" }, { loopback: () => false })).toBe("own");
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
  });

  it.each([
    ["https://app.example", "HTTPS://App.Example:443"],
    ["https://app.example:443/", "https://app.example"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["http://[0:0:0:0:0:0:0:1]:5173", "http://[::1]:5173"],
    ["capacitor://localhost", "capacitor://localhost"],
    ["chrome-extension://AbCd", "chrome-extension://abcd"],
    ["app://obsidian.md", "app://obsidian.md"],
  ])("takes the allowed origin %j for %j [GATE-12, GATE-14]", (allowed, origin) => {
    expect(ask({ host: "localhost", origin }, { origins: [allowed] })).toBe(origin);
  });

  it.each([
    ["capacitor://localhost", "ionic://localhost"],
    ["capacitor://localhost", "capacitor://other"],
    ["capacitor://localhost", "http://localhost:1"],
    ["chrome-extension://abcd", "chrome-extension://abce"],
    ["https://app.example", "https://app.example.evil.example"],
    ["https://app.example", "https://app.example@evil.example"],
    ["https://app.example", "https://app.example/"],
  ])("does not take the allowed origin %j for %j [GATE-14]", (allowed, origin) => {
    expect(ask({ host: "localhost", origin }, { origins: [allowed] })).toBe(
      origin === `${allowed}/` ? origin : "foreign-origin",
    );
  });

  it("does not take an app's page for its own, whatever its host is called [GATE-14]", () => {
    for (const origin of ["capacitor://localhost", "ionic://localhost", "tauri://localhost"])
      expect(ask({ host: "localhost", origin })).toBe("foreign-origin");
  });

  it("lets named pages show cookies, but none of `*` and none of a scheme that apps share [GATE-13, GATE-14]", () => {
    const credentials = (origin: string, origins: readonly string[]): unknown =>
      askAll({ host: "localhost", origin }, { origins });
    const app = "https://app.example";
    expect(credentials(app, [app])).toEqual({ origin: app, credentials: true });
    expect(credentials(app, ["*", app])).toEqual({ origin: app, credentials: true });
    expect(credentials(app, ["*"])).toEqual({ origin: "*", credentials: false });
    expect(credentials("null", ["*"])).toEqual({ origin: "*", credentials: false });
    for (const origin of ["chrome-extension://abcd", "moz-extension://abcd"])
      expect(credentials(origin, [origin])).toEqual({ origin, credentials: true });
    for (const origin of ["capacitor://localhost", "ionic://localhost", "tauri://localhost", "app://x"])
      expect(credentials(origin, [origin])).toEqual({ origin, credentials: false });
  });

  it("tells each origin that it refuses", () => {
    const told: string[] = [];
    for (const origin of ["http://localhost:5173", "null"])
      ask({ host: "localhost:8080", origin }, { refused: (one) => told.push(one) });
    expect(told).toEqual(["http://localhost:5173", "null"]);
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
    for (const origin of [
      "app.example",
      "https://app.example/path",
      "null",
      "",
      "https://*.example",
      "https://",
    ])
      expect(() => createGate({ ...RULES, origins: [origin] })).toThrow(TypeError);
    for (const host of ["", "*", "https://app.example", "a b", "app.example/x"])
      expect(() => createGate({ ...RULES, hosts: [host] })).toThrow(TypeError);
  });
});
