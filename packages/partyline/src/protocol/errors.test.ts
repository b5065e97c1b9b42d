import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errorFrame } from "./answer-frames.ts";
import {
  type ErrorCode,
  ERRORS,
  isErrorCode,
  PartylineError,
  toPartylineError,
  toProblem,
} from "./errors.ts";
import { PartylineError as LightError } from "./partyline-error.ts";

const protocol = readFileSync(new URL("../../../../PROTOCOL.md", import.meta.url), "utf8");

const codes = Object.keys(ERRORS).filter(isErrorCode);

describe("the table of errors", () => {
  it("is the one in PROTOCOL.md, row by row [ERR-1]", () => {
    const rows = [...protocol.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| (\d{4}) \| *(again)? *\| (.+) \|$/gm)];
    const documented = rows.map(([, code, status, close, again, title]) => [
      code,
      { status: Number(status), close: Number(close), retryable: again !== undefined, title },
    ]);
    const known = codes.map((code) => {
      const { status, close, retryable, title } = ERRORS[code];
      return [code, { status, close, retryable, title }];
    });
    expect(documented).toEqual(known);
  });

  it("gives each code a status of refusal and a close code that an application may use [ERR-1]", () => {
    for (const code of codes) {
      expect(ERRORS[code].status).toSatisfy((status: number) => status >= 400 && status < 600);
      expect(ERRORS[code].close).toSatisfy((close: number) => close >= 4400 && close < 4600);
    }
  });

  it("lets a client come again after the close code of exactly what is retryable [CLOSE-1]", () => {
    for (const code of codes)
      expect([code, ERRORS[code].close >= 4500]).toEqual([code, ERRORS[code].retryable]);
  });

  it("tells for each code what it means and what to do about it", () => {
    expect(codes.filter((code) => !/^[A-Z].+[^.]$/.test(ERRORS[code].title))).toEqual([]);
    expect(codes.filter((code) => !/^[A-Z].+\.$/.test(ERRORS[code].remedy))).toEqual([]);
  });

  it("knows its own codes and no others", () => {
    expect(["bad-frame", "again", "offline", "constructor", ""].map(isErrorCode)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("an error", () => {
  it.each(codes)(
    "%s has the status and remedy of its row, and is retryable on both sides alike [ERR-1]",
    (code) => {
      const { status, remedy, retryable } = ERRORS[code];
      expect(new PartylineError(code, "What happened.")).toMatchObject({ code, status, remedy, retryable });
      expect(new LightError(code, "What happened.").retryable).toBe(retryable);
    },
  );

  it("of the server is one for the client too, under one name", () => {
    const error = new PartylineError("invalid", "What happened.");
    expect(error).toBeInstanceOf(LightError);
    expect(error.name).toBe("PartylineError");
    expect(String(error)).toBe("PartylineError: What happened.");
  });

  it("has the remedy that it was given before that of its row", () => {
    expect(new PartylineError("invalid", "x", { remedy: "Send less." }).remedy).toBe("Send less.");
  });

  it("is told as a problem with all its fields", () => {
    expect(toProblem(new PartylineError("rate-limited", "More than 10.", { retryAfter: 3 }))).toEqual({
      status: 429,
      code: "rate-limited",
      title: "Too many commands",
      detail: "More than 10.",
      remedy: "Wait for `retryAfter` seconds and send fewer.",
      retryAfter: 3,
    });
  });

  it("is told as a frame with the number of its command, where there is one", () => {
    const error = new PartylineError("bad-id", "Not an id.");
    const told = { t: "error", code: "bad-id", message: "Not an id.", remedy: ERRORS["bad-id"].remedy };
    expect(errorFrame(7, error)).toEqual({ ...told, n: 7 });
    expect(errorFrame(undefined, error)).toEqual(told);
    expect(Object.keys(errorFrame(undefined, error))).not.toContain("n");
    expect(errorFrame(7, new PartylineError("overloaded", "x", { retryAfter: 2 }))).toMatchObject({
      retryAfter: 2,
    });
  });

  it("keeps what caused it out of what it tells [ERR-2]", () => {
    const error = new PartylineError("internal", "x", { cause: new Error("password") });
    expect(JSON.stringify([toProblem(error), errorFrame(1, error)])).not.toContain("password");
  });
});

describe("anything thrown", () => {
  it("is itself where it is one of ours", () => {
    const error = new PartylineError("forbidden", "x");
    expect(toPartylineError(error)).toBe(error);
  });

  it.each<[unknown]>([
    [new TypeError("secret")],
    ["secret"],
    [{ code: "forbidden", secret: "secret" }],
    [undefined],
  ])("becomes `internal`, which gives nothing away: %o [ERR-2]", (thrown) => {
    const error = toPartylineError(thrown);
    expect(error.code).toBe("internal" satisfies ErrorCode);
    expect(error.cause).toBe(thrown);
    expect(JSON.stringify(toProblem(error))).not.toContain("secret");
  });
});
