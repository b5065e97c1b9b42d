import { describe, expect, it } from "vitest";
import { createHarness } from "./harness.ts";

describe("a limit", () => {
  it("that is not given, or given as undefined, is the default", () => {
    const limits = { pendingPublishes: undefined, messageBytes: 7 } as object;
    expect(createHarness({ limits }).engine.limits).toMatchObject({
      pendingPublishes: 10_000,
      messageBytes: 7,
    });
  });

  it.each([0, -1, Number.NaN, "7"])("of %s is refused when the server starts", (value) => {
    const limits = { connections: value } as object;
    expect(() => createHarness({ limits })).toThrow(/connections/);
  });

  it("that nobody knows is refused by its name", () => {
    expect(() => createHarness({ limits: { conections: 7 } as object })).toThrow(/conections/);
  });
});
