/**
 * Kinds of trouble beside that of every history. Each has clients of its own, which live with it to the end, and can be
 * left out without changing the rest of a history.
 */
export type Kind =
  "spellings" | "proxies" | "uplinks" | "queries" | "iterators" | "offline" | "authenticators" | "origins";

export const KINDS: readonly Kind[] = [
  "spellings",
  "proxies",
  "uplinks",
  "queries",
  "iterators",
  "offline",
  "authenticators",
  "origins",
];

/** Origins that the server of every history allows, and one that it does not. */
export const ALLOWED_ORIGINS = ["https://app.example", "http://localhost:5173"] as const;
export const FOREIGN_ORIGIN = "https://elsewhere.example";
