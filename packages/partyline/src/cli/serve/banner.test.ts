import { describe, expect, it } from "vitest";
import { banner } from "./banner.ts";

const local = { address: "127.0.0.1", port: 8080, tls: false, columns: 120 } as const;

describe("what serve says", () => {
  it("names the address, three things to try, and that anybody may publish", () => {
    expect(banner({ ...local, publishing: "open" })).toMatchInlineSnapshot(`
      "partyline listens on http://127.0.0.1:8080

      Try it:
        curl -N -H 'accept: text/event-stream' http://127.0.0.1:8080/channels/chat
        curl -d '{"text":"hi"}' -H 'content-type: application/json' http://127.0.0.1:8080/channels/chat
        new WebSocket("ws://127.0.0.1:8080/channels/chat")

      Everybody on this machine may subscribe and publish (--open)."
    `);
  });

  it("breaks commands so that they can still be copied from a narrow terminal", () => {
    const text = banner({ ...local, publishing: "made token", token: "t".repeat(32), columns: 60 });
    expect(text).toMatchInlineSnapshot(`
      "partyline listens on http://127.0.0.1:8080

      Try it:
        curl -N -H 'accept: text/event-stream' \\
          http://127.0.0.1:8080/channels/chat
        curl -d '{"text":"hi"}' \\
          -H 'content-type: application/json' \\
          -H 'authorization: Bearer TOKEN' \\
          http://127.0.0.1:8080/channels/chat
        new WebSocket("ws://127.0.0.1:8080/channels/chat")

      Everybody on this machine may subscribe. Publishing needs
      this token, made for this run (PARTYLINE_TOKEN sets
      another):
        tttttttttttttttttttttttttttttttt"
    `);
    expect(text.split("\n").filter((line) => line.length > 60)).toEqual([]);
  });

  it("never prints a token that it was given", () => {
    expect(banner({ ...local, publishing: "given token", token: "secret" })).not.toContain("secret");
  });

  it("warns where others than this machine can publish", () => {
    for (const address of ["0.0.0.0", "::", "192.168.1.5"])
      expect(banner({ ...local, address, publishing: "open" })).toContain(
        "EVERYBODY WHO REACHES THIS ADDRESS may",
      );
    for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
      expect(banner({ ...local, address, publishing: "open" })).toContain("Everybody on this machine may");
  });

  it("gives addresses that can be connected to", () => {
    expect(banner({ ...local, address: "0.0.0.0", publishing: "open" })).toContain("http://localhost:8080/");
    expect(banner({ ...local, address: "::1", publishing: "open" })).toContain("ws://[::1]:8080/");
  });

  it("gives addresses with TLS", () => {
    const text = banner({ ...local, tls: true, publishing: "open" });
    expect(text).toContain("listens on https://127.0.0.1:8080\n");
    expect(text).toContain('new WebSocket("wss://127.0.0.1:8080/channels/chat")');
  });
});
