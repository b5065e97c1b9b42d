import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { endAll, HELLO, post, start } from "./support/breaches.ts";

afterEach(endAll);

describe("a key of more than 255 characters", () => {
  it("is too large on every way in [MSG-11]", async () => {
    const rig = await start({});
    const [longest, longer] = ["k".repeat(255), "k".repeat(256)];
    const frame = (key: string): string =>
      `${HELLO}\n{"t":"publish","n":1,"channel":"a","id":"p","at":1,"key":"${key}","data":1}`;
    expect([
      await post(rig, `/channels/a?key=${longest}`, "x"),
      await post(rig, "/connect", frame(longest)),
      await post(rig, `/channels/a?key=${longer}`, "x"),
      await post(rig, "/connect", frame(longer)),
      await rig.server
        .channel("a")
        .publish("x", { key: longer })
        .catch((error: { code: string }) => error.code),
    ]).toEqual(["fine", "fine", "too-large", "too-large", "too-large"]);
  });
});

describe("a key in a URL", () => {
  it("keeps nothing of the rest of the URL in memory", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { server } = await start({});
    const rest = "x".repeat(10_000);
    const publish = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        const url = `http://localhost/channels/a?rest=${n}${rest}&key=a-key-of-some-length-${n}`;
        expect((await server.fetch(new Request(url, { method: "POST", body: "x" }))).status).toBe(201);
      }
    };
    await publish(100);
    collect();
    const before = process.memoryUsage().heapUsed;
    await publish(1_000);
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
  });
});
