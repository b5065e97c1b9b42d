import { MAX_NAME } from "../message.ts";

/** Who writes from this window. */
export interface Identity {
  readonly by: string;
  readonly name: string;
}

const KEY = "partyline-chat-identity";

/**
 * The identity remembered by this browser. `?as=Grace` makes a second one that lives in its window only, so that
 * one person can try a conversation.
 */
export function recallIdentity(): { identity: Identity; known: boolean } {
  const as = new URLSearchParams(location.search).get("as")?.trim().slice(0, MAX_NAME);
  const store = as === undefined || as === "" ? localStorage : sessionStorage;
  const kept = read(store);
  if (as !== undefined && as !== "") {
    const identity = kept?.name === as ? kept : { by: randomId(), name: as };
    store.setItem(KEY, JSON.stringify(identity));
    return { identity, known: true };
  }
  return { identity: kept ?? { by: randomId(), name: "" }, known: kept !== undefined };
}

/** Remembers a name for this browser, or, in a window opened with `?as=`, for this window. */
export function rememberIdentity(identity: Identity): void {
  const url = new URL(location.href);
  if (url.searchParams.has("as")) {
    url.searchParams.set("as", identity.name);
    history.replaceState(null, "", url);
    sessionStorage.setItem(KEY, JSON.stringify(identity));
  } else localStorage.setItem(KEY, JSON.stringify(identity));
}

/** 128 random bits; works on plain HTTP too, where `crypto.randomUUID` does not exist. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function read(store: Storage): Identity | undefined {
  try {
    const { by, name } = JSON.parse(store.getItem(KEY) ?? "{}") as Partial<Identity>;
    return by !== undefined && name !== undefined && name !== "" ? { by, name } : undefined;
  } catch {
    return undefined;
  }
}
