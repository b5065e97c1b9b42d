import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromiumOptions } from "../../../../scripts/chromium.ts";

/**
 * A tab of a Chromium that is spoken to by the DevTools protocol alone. Playwright keeps every page focused and visible,
 * so that none of its pages is ever hidden or frozen as those of people are.
 */
export interface Tab {
  goTo(url: string): Promise<void>;
  /** Goes back in the tab's history, from the back/forward cache where the page is in it. */
  back(): Promise<void>;
  /** What the function returns in the page, whose argument and result are JSON. */
  evaluate<A, T>(run: (argument: A) => T | Promise<T>, argument: A): Promise<T>;
  /** Waits until the function returns true in the page. Works in a frozen page, too. */
  until<A>(so: (argument: A) => boolean, argument: A): Promise<void>;
  /** Puts it before all others, which are hidden by that. */
  show(): Promise<void>;
  /** Stops its timers and network tasks; only a hidden tab can be frozen. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  setOffline(offline: boolean): Promise<void>;
  close(): Promise<void>;
  /** Ends its process. */
  crash(): void;
}

/** A Chromium with tabs. */
export interface Tabs extends AsyncDisposable {
  open(url: string): Promise<Tab>;
}

interface Answer {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Starts a Chromium. */
export async function openTabs(): Promise<Tabs> {
  const { executablePath, args } = chromiumOptions();
  const profile = mkdtempSync(join(tmpdir(), "partyline-chromium-"));
  const own = ["--headless=new", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"];
  const child = spawn(executablePath, [...args, ...own], { stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      const [found] = /ws:\/\/\S+/.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.on("close", () => reject(new Error(`Chromium ended: ${text}`)));
  });
  const { send, onEvent, end } = await talk(address);

  return {
    async open(url) {
      const { targetId } = (await send("Target.createTarget", { url: "about:blank" })) as {
        targetId: string;
      };
      const { sessionId } = (await send("Target.attachToTarget", { targetId, flatten: true })) as {
        sessionId: string;
      };
      const ask = (method: string, params: object = {}): Promise<unknown> => send(method, params, sessionId);
      await Promise.all([ask("Page.enable"), ask("Network.enable"), ask("Runtime.enable")]);
      const tab = createTab(targetId, ask, (method) => onEvent(sessionId, method));
      await tab.goTo(url);
      return tab;
    },
    async [Symbol.asyncDispose]() {
      const gone = once(child, "close");
      await send("Browser.close").catch(() => child.kill("SIGKILL"));
      await gone;
      end();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function createTab(
  targetId: string,
  ask: (method: string, params?: object) => Promise<unknown>,
  next: (method: string) => Promise<void>,
): Tab {
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result, exceptionDetails } = (await ask("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })) as { result: { value: unknown }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? "The page threw.");
    return result.value;
  };
  const tab: Tab = {
    async goTo(url) {
      const loaded = next("Page.loadEventFired");
      await ask("Page.navigate", { url });
      await loaded;
    },
    async back() {
      const shown = next("Page.frameNavigated");
      const { entries, currentIndex } = (await ask("Page.getNavigationHistory")) as {
        entries: { id: number }[];
        currentIndex: number;
      };
      await ask("Page.navigateToHistoryEntry", { entryId: entries[currentIndex - 1]?.id });
      await shown;
    },
    evaluate: async <A, T>(run: (argument: A) => T | Promise<T>, argument: A) =>
      (await evaluate(`(${run.toString()})(${JSON.stringify(argument) ?? ""})`)) as T,
    async until(so, argument) {
      while (!(await tab.evaluate(so, argument))) await new Promise((resolve) => setImmediate(resolve));
    },
    show: () => ask("Target.activateTarget", { targetId }).then(() => undefined),
    freeze: () => ask("Page.setWebLifecycleState", { state: "frozen" }).then(() => undefined),
    thaw: () => ask("Page.setWebLifecycleState", { state: "active" }).then(() => undefined),
    async setOffline(offline) {
      const speed = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
      await ask("Network.emulateNetworkConditions", { offline, ...speed });
    },
    close: () => ask("Page.close").then(() => undefined),
    // Nobody is left to answer.
    crash: () => void ask("Page.crash"),
  };
  return tab;
}

/** The DevTools protocol over its WebSocket. */
async function talk(address: string) {
  const socket = new WebSocket(address);
  await once(socket, "open");
  const waiting = new Map<number, (answer: Answer) => void>();
  const events = new Map<string, () => void>();
  let n = 0;
  socket.addEventListener("message", ({ data }: MessageEvent<string>) => {
    const answer = JSON.parse(data) as Answer;
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
    else events.get(`${answer.sessionId} ${answer.method}`)?.();
  });
  return {
    send: async (method: string, params: object = {}, sessionId?: string): Promise<unknown> => {
      const id = ++n;
      const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
      socket.send(JSON.stringify({ id, method, params, sessionId }));
      const { result, error } = await answered;
      waiting.delete(id);
      if (error) throw new Error(`${method}: ${error.message}`);
      return result;
    },
    /** Resolves at the next event of this kind. */
    onEvent: (sessionId: string, method: string): Promise<void> =>
      new Promise((resolve) => events.set(`${sessionId} ${method}`, resolve)),
    end: () => socket.close(),
  };
}
