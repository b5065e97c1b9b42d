import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../protocol/limits.ts";
import { Admission, countedAddress } from "./admission.ts";

function create(limits: Partial<typeof DEFAULT_LIMITS> = {}): { admission: Admission; warned: string[] } {
  const warned: string[] = [];
  const logger = {
    info: () => undefined,
    warn: (text: string) => void warned.push(text),
    error: () => undefined,
  };
  return { admission: new Admission({ ...DEFAULT_LIMITS, ...limits }, logger), warned };
}

const REFUSED = expect.objectContaining({ code: "too-many-connections", retryAfter: 10 }) as Error;

describe("admission", () => {
  it("counts an address by itself, and gives its seats again [GATE-10]", () => {
    const { admission } = create({ connectionsPerAddress: 2 });
    const seats = [admission.enter("10.0.0.1", false), admission.enter("::ffff:10.0.0.1", false)];
    expect(() => admission.enter("10.0.0.1", false)).toThrow(REFUSED);
    admission.enter("10.0.0.2", false).leave();
    seats[0]?.leave();
    admission.enter("10.0.0.1", false);
    expect(admission.total).toBe(2);
  });

  it("counts IPv6 by its /64, and loopback not at all [GATE-10]", () => {
    const { admission } = create({ connectionsPerAddress: 1 });
    admission.enter("2001:db8:1:2:3::4", false);
    expect(() => admission.enter("2001:db8:1:2::99", false)).toThrow(REFUSED);
    admission.enter("2001:db8:1:3::4", false);
    for (const address of ["127.0.0.1", "127.3.4.5", "::1", "::ffff:127.0.0.1", undefined])
      for (let n = 0; n < 3; n++) admission.enter(address, false);
  });

  it("bounds the total, whatever the address [LIM-2]", () => {
    const { admission } = create({ connections: 2 });
    const seat = admission.enter(undefined, false);
    admission.enter("10.0.0.1", false);
    expect(() => admission.enter(undefined, false)).toThrow(REFUSED);
    seat.leave();
    admission.enter("127.0.0.1", false);
  });

  it("bounds those that have not said who they are [GATE-9]", () => {
    const { admission } = create({ unauthenticatedConnections: 1 });
    const seat = admission.enterUnknown();
    expect(() => admission.enterUnknown()).toThrow(REFUSED);
    seat.leave();
    admission.enterUnknown();
  });

  it("warns once where a proxy stands for many", () => {
    const { admission, warned } = create();
    for (let n = 0; n < 3; n++) admission.enter("10.0.0.1", true);
    expect(warned).toHaveLength(1);
  });

  it("names the /64 of an address in one way", () => {
    expect(countedAddress("2001:0DB8::1")).toBe(countedAddress("2001:db8:0:0:5::"));
    expect(countedAddress("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  });
});
