import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { createAuthenticator } from "../../src/core/authenticate.ts";
import { OPEN_GRANTS } from "../../src/core/grants.ts";
import type { Authenticate, Credentials } from "../../src/core/ports.ts";

/** Credentials whose `header` needs its object, as those of a request do. */
class Shown {
  readonly token: string | undefined = "t";
  readonly #headers = new Map([["cookie", "id=1"]]);
  header(name: string): string | undefined {
    return this.#headers.get(name);
  }
}

const ask = async (authenticate: unknown) => createAuthenticator(authenticate as Authenticate)(new Shown());

describe("the option authenticate", () => {
  it("gives a peer the grants it returns, at once or by a promise", async () => {
    const grants = { allows: () => true };
    expect(createAuthenticator(() => ({ grants }))(new Shown())).toBe(grants);
    expect(await ask(async () => ({ grants }))).toBe(grants);
    // A promise of another realm is no instance of this one's class, as a query builder is none.
    const foreign: unknown = runInNewContext("Promise.resolve(answer)", { answer: { grants } });
    expect(foreign).not.toBeInstanceOf(Promise);
    expect(await ask(() => foreign)).toBe(grants);
  });

  it("refuses a peer as unauthorized if it returns undefined or null", async () => {
    for (const nothing of [undefined, null])
      for (const authenticate of [() => nothing, async () => nothing])
        await expect(ask(authenticate)).rejects.toMatchObject({ code: "unauthorized" });
  });

  it("fails with the remedy if it returns anything else", async () => {
    const table = { "chat/*": ["subscribe"] };
    for (const wrong of [table, { allows: () => true }, { grants: table }, { grants: null }, true, "yes"])
      await expect(ask(() => wrong)).rejects.toThrow("return `{ grants: grants(table) }`");
  });

  it("receives credentials that work when they are taken apart", async () => {
    const seen: unknown[] = [];
    await ask(({ token, header }: Credentials) => {
      seen.push(token, header("cookie"));
      return { grants: OPEN_GRANTS };
    });
    expect(seen).toEqual(["t", "id=1"]);
  });

  it("is a function, or a TypeError at start", () => {
    const wrong = { authenticate: () => undefined } as unknown as Authenticate;
    expect(() => createAuthenticator(wrong)).toThrow("`authenticate` is a function");
  });
});
