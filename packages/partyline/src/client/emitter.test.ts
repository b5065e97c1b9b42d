import { describe, expect, it } from "vitest";
import { createClientRig } from "../testing/client-rig.ts";
import { createEmitter } from "./emitter.ts";

describe("listeners", () => {
  const made = () => {
    const got: string[] = [];
    const events = createEmitter<{ tick: number }>((error) => void got.push(String(error)));
    return { got, events };
  };

  it("are not called any more once they are removed, also while others are being called", () => {
    const { got, events } = made();
    events.on("tick", () => {
      got.push("first");
      offSecond();
    });
    const offSecond = events.on("tick", () => got.push("second"));
    events.on("tick", () => got.push("third"));
    events.emit("tick", 1);
    events.emit("tick", 2);
    expect(got).toEqual(["first", "third", "first", "third"]);
  });

  it("that are added while others are being called hear the next event, as those of an EventTarget", () => {
    const { got, events } = made();
    const off = events.on("tick", (tick) => {
      off();
      events.on("tick", (later) => got.push(`${tick} ${later}`));
    });
    events.emit("tick", 1);
    events.emit("tick", 2);
    expect(got).toEqual(["1 2"]);
  });

  it.each([undefined, null, {}, "name"])("cannot be %o", (listener) => {
    const { client } = createClientRig();
    const wrong = listener as () => void;
    expect(() => client.channel("a").on("message", wrong)).toThrow(
      "message: the listener is not a function.",
    );
    expect(() => client.on("state", wrong)).toThrow(TypeError);
    expect(client.channel("a").state.status).toBe("detached");
  });
});
