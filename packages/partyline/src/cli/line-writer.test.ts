import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { createLineWriter } from "./line-writer.ts";

it("writers that wait for a full stream share one listener", async () => {
  const taken: string[] = [];
  let goOn = (): void => undefined;
  const output = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      taken.push(chunk.toString());
      goOn = done;
    },
  });
  const writer = createLineWriter(output);
  const waiting = Array.from({ length: 30 }, (_, index) => writer.write(String(index)));
  expect(output.listenerCount("drain")).toBe(1);
  for (let index = 0; index < 30; index++) {
    goOn();
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const write of waiting) await write;
  expect(taken).toEqual(Array.from({ length: 30 }, (_, index) => `${index}\n`));
});
