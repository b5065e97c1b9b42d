/** Many streams of a real browser on one connection. */
import { chromium } from "playwright-core";
import { expect, it } from "vitest";
import { chromiumOptions } from "../../../scripts/chromium.ts";
import { createPartyline } from "../src/server.ts";
import { openLine } from "../src/testing/network-line.ts";
import { makeCertificate } from "./support/certificate.ts";
import { silent } from "./support/line-rig.ts";

const STREAMS = 100;

it("feeds 100 native EventSources of a page, and its requests beside them, over one connection [HTTP-22]", async () => {
  await using server = createPartyline({ logger: silent });
  const { port } = await server.listen(0, "127.0.0.1", { tls: makeCertificate() });
  // Only to count the connections.
  await using line = await openLine(port);
  const browser = await chromium.launch(chromiumOptions());
  try {
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    // A page of this origin; what it shows does not matter.
    await page.goto(`https://127.0.0.1:${line.port}/channels/page`);
    const told = await page.evaluate(async (count) => {
      const sources = Array.from({ length: count }, (_, index) => new EventSource(`/channels/c${index}`));
      const messages = sources.map(
        (source) => new Promise<unknown>((resolve) => (source.onmessage = ({ data }) => resolve(data))),
      );
      await Promise.all(
        sources.map((source) => new Promise((resolve) => source.addEventListener("continuous", resolve))),
      );
      const posts = sources.map(async (_, index) =>
        fetch(`/channels/c${index}`, { method: "POST", body: `to ${index}` }),
      );
      const statuses = (await Promise.all(posts)).map(({ status }) => status);
      return { statuses: [...new Set(statuses)], messages: await Promise.all(messages) };
    }, STREAMS);
    expect(told).toEqual({
      statuses: [201],
      messages: Array.from({ length: STREAMS }, (_, index) => `to ${index}`),
    });
    expect([server.connections, line.connections]).toEqual([STREAMS, 1]);
  } finally {
    await browser.close();
  }
});

it("gives a page its WebSockets from the same port [HTTP-22]", async () => {
  await using server = createPartyline({ logger: silent });
  const { url } = await server.listen(0, "127.0.0.1", { tls: makeCertificate() });
  const browser = await chromium.launch(chromiumOptions());
  try {
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    await page.goto(`${url}/channels/page`);
    const echo = await page.evaluate(
      (address) =>
        new Promise<unknown>((resolve, reject) => {
          const socket = new WebSocket(address);
          socket.onopen = () => socket.send("hello");
          socket.onmessage = ({ data }) => resolve(data);
          socket.onerror = () => reject(new Error("no WebSocket"));
        }),
      `${url.replace("https", "wss")}/channels/a`,
    );
    expect(echo).toBe("hello");
  } finally {
    await browser.close();
  }
});
