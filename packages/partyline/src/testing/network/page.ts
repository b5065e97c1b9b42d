import type { Tabs } from "../../client/share/tabs.ts";

/** The page of a client in memory: a process that may hang or be gone, and what it has in common with other tabs. */
export interface ClientPage {
  readonly tabs: Tabs;
  /** Does what happens to the process: now, when it goes on, or never. */
  readonly happen: (act: () => void) => void;
  /** Whether the page's `navigator` says that there is a network. Absent: it always does. */
  readonly isOnline?: () => boolean;
}
