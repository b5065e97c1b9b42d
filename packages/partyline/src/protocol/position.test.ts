import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PartylineError } from "./errors.ts";
import {
  formatPosition,
  formatPositions,
  formatSince,
  parsePosition,
  parsePositions,
  parseSince,
  type Position,
  readPosition,
  type Since,
} from "./position.ts";

const EPOCH = "0mhlk2v9q7xa";

const epoch = fc
  .array(fc.constantFrom(..."0123456789abcdefghijklmnopqrstuvwxyz".split("")), {
    minLength: 12,
    maxLength: 12,
  })
  .map((characters) => characters.join(""));

const position: fc.Arbitrary<Position> = fc.record({ epoch, offset: fc.maxSafeNat() });

const since: fc.Arbitrary<Since> = fc.oneof(
  fc.constantFrom<Since>({ at: "earliest" }, { at: "now" }),
  fc.record({ at: fc.constant("last" as const), count: fc.maxSafeNat() }),
  fc.record({ at: fc.constant("position" as const), position }),
);

const badPosition: unknown = expect.objectContaining({ code: "bad-position", status: 400 });

/** What this answers, or throws. */
function outcome(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

describe("a position", () => {
  it("is read as it was written [POS-1]", () => {
    fc.assert(
      fc.property(position, (written) => {
        expect(parsePosition(formatPosition(written))).toEqual(written);
      }),
    );
  });

  it("has one text only: what is read is written the same [POS-1]", () => {
    const almost = fc
      .tuple(
        fc.constantFrom(EPOCH, EPOCH.slice(1), `${EPOCH}0`, EPOCH.toUpperCase(), ""),
        fc.constantFrom(":", "", "::", " :", ","),
        fc.constantFrom(
          "0",
          "7",
          "07",
          "+7",
          "-0",
          "7.0",
          "7e0",
          " 7",
          "7 ",
          "",
          "9007199254740991",
          "9007199254740992",
        ),
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(almost, fc.string({ unit: "binary" })), (text) => {
        const read = readPosition(text);
        expect(read ? formatPosition(read) : text).toBe(text);
        expect(outcome(() => parsePosition(text))).toEqual(read ?? badPosition);
      }),
    );
  });

  it.each([
    ["the place before the first message", `${EPOCH}:0`, 0],
    ["the greatest offset", `${EPOCH}:9007199254740991`, Number.MAX_SAFE_INTEGER],
  ])("may be %s [POS-1]", (_what, text, offset) => {
    expect(parsePosition(text)).toEqual({ epoch: EPOCH, offset });
  });

  it.each([
    ["an offset beyond 2^53 - 1", `${EPOCH}:9007199254740992`],
    ["an offset of many digits", `${EPOCH}:${"9".repeat(400)}`],
    ["a leading zero", `${EPOCH}:07`],
    ["a sign", `${EPOCH}:+7`],
    ["a fraction", `${EPOCH}:7.5`],
    ["an exponent", `${EPOCH}:7e3`],
    ["digits of another script", `${EPOCH}:٧`],
    ["no offset", `${EPOCH}:`],
    ["no epoch", ":7"],
    ["no colon", EPOCH],
    ["a second colon", `${EPOCH}:7:8`],
    ["a short epoch", "0mhlk2v9q7x:7"],
    ["a long epoch", "0mhlk2v9q7xab:7"],
    ["a capital in the epoch", "0mhlk2v9q7xA:7"],
    ["white space in front", ` ${EPOCH}:7`],
    ["a line end behind", `${EPOCH}:7\n`],
    ["the entry for no position", "-"],
  ])("is refused with %s [POS-1, POS-2, POS-7]", (_what, text) => {
    expect(readPosition(text)).toBeUndefined();
    expect(outcome(() => parsePosition(text))).toEqual(badPosition);
    expect(outcome(() => parseSince(text))).toEqual(badPosition);
  });

  it("is quoted in the refusal, but not at any length", () => {
    const error = outcome(() => parsePosition("x".repeat(10_000)));
    expect(error).toBeInstanceOf(PartylineError);
    expect(String(error).length).toBeLessThan(200);
  });
});

describe("`since`", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(since, (written) => {
        expect(parseSince(formatSince(written))).toEqual(written);
      }),
    );
  });

  it.each([[undefined], [null], [""]])("counts as absent where it is %j [POS-8]", (text) => {
    expect(parseSince(text)).toBeUndefined();
  });

  it.each([
    "Earliest",
    "NOW",
    "last",
    "last:",
    "last:-1",
    "last:01",
    "last:1.5",
    "last:9007199254740992",
    "latest",
    "7",
    " now",
  ])("is refused where it is %j [POS-7]", (text) => {
    expect(outcome(() => parseSince(text))).toEqual(badPosition);
  });
});

describe("the id of an `/events` stream", () => {
  it("is read as it was written, with the number of its channels [EVENTS-3]", () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(position, { nil: undefined }), { minLength: 1, maxLength: 32 }),
        (written) => {
          expect(parsePositions(formatPositions(written), written.length)).toEqual(written);
        },
      ),
    );
  });

  it("writes `-` for a channel that has no position yet [EVENTS-3]", () => {
    expect(formatPositions([{ epoch: EPOCH, offset: 7 }, undefined])).toBe(`v1,${EPOCH}:7,-`);
  });

  it("is refused for another number of channels [EVENTS-4]", () => {
    fc.assert(
      fc.property(
        fc.array(position, { minLength: 1, maxLength: 5 }),
        fc.nat({ max: 6 }),
        (written, count) => {
          fc.pre(count !== written.length);
          expect(outcome(() => parsePositions(formatPositions(written), count))).toEqual(badPosition);
        },
      ),
    );
  });

  it.each(["", "v1", "v2,-", "-", "v1,", `${EPOCH}:7`, "v1,now", `v1, ${EPOCH}:7`])(
    "is refused where it is %j [EVENTS-5]",
    (text) => {
      expect(outcome(() => parsePositions(text, 1))).toEqual(badPosition);
    },
  );

  it("stays below 1 KiB for the most channels with the greatest positions", () => {
    const greatest = { epoch: EPOCH, offset: Number.MAX_SAFE_INTEGER };
    expect(formatPositions(Array.from({ length: 32 }, () => greatest)).length).toBeLessThan(1024);
  });
});
