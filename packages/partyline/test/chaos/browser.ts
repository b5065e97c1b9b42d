import type { Clock } from "../../src/core/ports.ts";
import type { ClientPage } from "../../src/testing/network/page.ts";
import { createFakeTabs, createPage, happen, thaw } from "../share/fake-tabs.ts";

/** The process of a tab. */
export interface TabProcess {
  readonly page: ClientPage;
  readonly frozen: boolean;
  kill(): void;
  freeze(): void;
  thaw(): void;
}

/** A browser in the network's time: its locks and conversations take a turn of the event loop. */
export function createBrowser(clock: Clock): { openTab(): TabProcess } {
  const tabs = createFakeTabs(
    (to) => ({ to, queue: { push: (arrives) => clock.nextTurn(() => happen(to, arrives)) } }),
    () => undefined,
  );
  return {
    openTab() {
      const page = createPage();
      return {
        page: { tabs: tabs.tabsOf(page), happen: (act) => happen(page, act) },
        get frozen() {
          return page.frozen;
        },
        kill() {
          page.alive = false;
          tabs.kill(page);
        },
        freeze: () => void (page.frozen = true),
        thaw: () => thaw(page),
      };
    },
  };
}
