import type { PublishOptions } from "../../src/client/index.ts";
import { PartylineError } from "../../src/protocol/errors.ts";
import type { OracleTarget } from "../../src/testing/oracle/index.ts";
import type { WorldClient } from "./world.ts";

/** How long a `POST` may take, and how long its publisher waits before it repeats it, ms. */
const PATIENCE = 1000;
const PAUSE = 30;

/** A publisher by plain HTTP, who repeats each `POST` under its `Idempotency-Key` until it is answered. */
export function postTarget(
  { url, fetch }: WorldClient,
  name: string,
  world: { readonly after: (ms: number) => Promise<void>; readonly givesUp: () => boolean },
): OracleTarget {
  const post = async (body: string, { id = "", key }: PublishOptions): Promise<Response | undefined> => {
    const abort = new AbortController();
    void world.after(PATIENCE).then(() => abort.abort());
    try {
      return await fetch(`${url}/channels/${name}${key === undefined ? "" : `?key=${key}`}`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": id },
        body,
        signal: abort.signal,
      });
    } catch {
      return undefined;
    }
  };
  const read = async (response: Response | undefined): Promise<object | undefined> =>
    (await response?.json().catch(() => undefined)) as object | undefined;

  return {
    name,
    async publish(data, options) {
      while (!world.givesUp()) {
        const response = await post(JSON.stringify(data), options);
        const body = await read(response);
        if (response?.ok && body) return { duplicate: false, ...(body as { position: string }) };
        const { code } = (body ?? {}) as { code?: ConstructorParameters<typeof PartylineError>[0] };
        if (code !== undefined) {
          const refusal = new PartylineError(code, "The POST was refused.");
          // Refused now, but perhaps stored by an attempt before.
          if (!refusal.retryable) throw new PartylineError("uncertain", "Refused.", { cause: refusal });
        }
        await world.after(PAUSE);
      }
      throw new PartylineError("uncertain", "Too much time has passed for one more attempt.");
    },
  };
}
