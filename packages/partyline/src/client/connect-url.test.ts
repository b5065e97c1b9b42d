import { afterEach, describe, expect, it, vi } from "vitest";
import { connectUrl } from "./connect-url.ts";

/** Makes the test a page or a worker for the time of one test. */
function pretend(place: { baseURI?: string; href?: string }): void {
  vi.stubGlobal("document", place.baseURI === undefined ? undefined : { baseURI: place.baseURI });
  vi.stubGlobal("location", place.href === undefined ? undefined : { href: place.href });
}

afterEach(() => void vi.unstubAllGlobals());

describe("the URL of a server", () => {
  it.each([
    ["http://localhost:8080", "http://localhost:8080/connect"],
    ["https://example.com/", "https://example.com/connect"],
    ["https://example.com/app", "https://example.com/app/connect"],
    ["https://example.com/app/", "https://example.com/app/connect"],
    ["ws://example.com", "http://example.com/connect"],
    ["wss://example.com/news", "https://example.com/news/connect"],
    ["WSS://EXAMPLE.com", "https://example.com/connect"],
    ["https://ws.example.com/?ws=1", "https://ws.example.com/connect?ws=1"],
    ["http://ws.example.com", "http://ws.example.com/connect"],
    ["http://[::1]:8080", "http://[::1]:8080/connect"],
    ["https://example.com?tenant=7", "https://example.com/connect?tenant=7"],
    ["https://example.com/app/?tenant=7&a=b/c#top", "https://example.com/app/connect?tenant=7&a=b/c"],
    ["https://example.com/#/room/1", "https://example.com/connect"],
  ])("%s leads to %s", (url, connect) => {
    expect(connectUrl(url)).toBe(connect);
    const given = new URL(url);
    expect(connectUrl(given)).toBe(connect);
    expect(given.href).toBe(new URL(url).href);
  });

  it.each([
    ["/", "https://example.com/connect"],
    ["", "https://example.com/shop/page/connect?q=1"],
    ["?tenant=7", "https://example.com/shop/page/connect?tenant=7"],
    ["live", "https://example.com/shop/live/connect"],
    ["//other.example", "https://other.example/connect"],
  ])("%o is resolved as links of the page are", (url, connect) => {
    pretend({ baseURI: "https://example.com/shop/page?q=1#top", href: "https://elsewhere.example/" });
    expect(connectUrl(url)).toBe(connect);
  });

  it("is resolved against the parent's page in a frame of srcdoc", () => {
    pretend({ baseURI: "https://example.com/page", href: "about:srcdoc" });
    expect(connectUrl("/")).toBe("https://example.com/connect");
    pretend({ href: "https://example.com/worker.js" });
    expect(connectUrl("/live")).toBe("https://example.com/live/connect");
  });

  it.each([
    "localhost:8080",
    "example.com:80/app",
    "file:///index.html",
    "capacitor://localhost",
    "chrome-extension://abc/",
    "ftp://example.com",
    "data:text/plain,x",
    "about:blank",
  ])("%s is a TypeError that says how to write it", (url) => {
    for (const baseURI of [undefined, "https://example.com/"]) {
      pretend(baseURI === undefined ? {} : { baseURI });
      const message = URL.canParse(url, baseURI)
        ? "URL .*: write it like http://localhost:8080"
        : "Invalid URL";
      expect(() => connectUrl(url)).toThrow(new RegExp(`^${message}`));
    }
  });

  it.each(["https://user:secret@example.com", "https://user@example.com", "wss://:secret@example.com"])(
    "%s is a TypeError that does not repeat the password",
    (url) => {
      expect(() => connectUrl(url)).toThrow(/^URL example\.com\/: write it .*, no password/);
    },
  );

  it("that is relative is a TypeError if there is no page", () => {
    expect(() => connectUrl("/")).toThrow(TypeError);
  });
});
