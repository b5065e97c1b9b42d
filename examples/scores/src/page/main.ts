import type { Clock, MatchEvent, ReplayEvent, Run } from "../events.ts";
import { createAnnouncer } from "./announcer.ts";
import { createControls } from "./controls.ts";
import { find, make, setText } from "./dom.ts";
import { createMatchCard, type MatchCard } from "./match-card.ts";
import { EMPTY_MATCH, goalSentence, type MatchModel, reduceMatch } from "./match-model.ts";
import { follow } from "./stream.ts";

const REPLAY = "scores/replay";

/** The server tells the clock twice a second; a page that hears nothing lets its clocks stand rather than guess. */
const LONGEST_GUESS = 2000;

const board = find("matches", HTMLElement);
const status = find("status", HTMLElement);
const stale = find("stale", HTMLElement);
const announce = createAnnouncer(find("announcements", HTMLElement));
const controls = createControls();

const matches = new Map<string, { model: MatchModel; card: MatchCard }>();
let run: Run | undefined;
let clock: Clock | undefined;
let clockCame = 0;
let stream: { close(): void } | undefined;

function showRun(next: Run): void {
  if (next.run === run?.run && next.matches.join() === run.matches.join()) return;
  run = next;
  clock = undefined;
  controls.showDay(next.day);
  matches.clear();
  for (const channel of next.matches) matches.set(channel, { model: EMPTY_MATCH, card: createMatchCard() });
  board.replaceChildren(...[...matches.values()].map(({ card }) => card.element));
  board.dataset.count = String(matches.size);
  setText(
    find("command", HTMLElement),
    `curl -N '${location.origin}/events?channel=${next.matches[0] ?? REPLAY}&since=earliest'`,
  );
  stream?.close();
  stream = follow([REPLAY, ...next.matches], { message, gap, state });
}

function message(channel: string, event: MatchEvent | ReplayEvent, late: boolean): void {
  if (event.kind === "run") return showRun(event);
  if (event.kind === "clock") return showClock(event);
  const match = matches.get(channel);
  if (match === undefined) return;
  match.model = reduceMatch(match.model, event);
  match.card.show(match.model);
  moveClocks();
  if (event.kind !== "goal" || late || match.model.lineUp === undefined) return;
  match.card.celebrate(event.side);
  announce(goalSentence(event, match.model.lineUp));
}

function showClock(next: Clock): void {
  if (next.run !== run?.run) return;
  clock = next;
  clockCame = performance.now();
  controls.showClock(next);
  moveClocks();
}

/** Between two tellings of the server the clocks run on by themselves. */
function moveClocks(): void {
  const guess = Math.min(performance.now() - clockCame, LONGEST_GUESS) / 1000;
  const second = clock === undefined ? 0 : clock.second + (clock.over ? 0 : guess * clock.speed);
  const slow = clock !== undefined && clock.speed <= 10;
  for (const { card } of matches.values()) card.moveTo(second, slow);
}

function gap(channel: string): void {
  const match = matches.get(channel);
  if (match === undefined) return;
  match.model = EMPTY_MATCH;
  match.card.show(match.model);
}

const STATES = { connecting: "Connecting", live: "Live", lost: "No connection" } as const;

function state(now: keyof typeof STATES): void {
  if (now === "connecting" && status.dataset.state === "lost") return;
  const since = new Date().toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  // Told once: each attempt that fails would tell it again, with a later time.
  if (now === "live") setText(stale, "");
  else if (now === "lost" && stale.textContent === "") {
    setText(
      stale,
      `As of ${since}. What happens now is shown when the connection is back, nothing left out.`,
    );
  }
  status.dataset.state = now;
  board.toggleAttribute("data-stale", now === "lost");
  setText(status, STATES[now]);
}

try {
  const { run: first, clock: second } = await controls.load();
  showRun(first);
  showClock(second);
} catch {
  status.dataset.state = "lost";
  setText(status, "The server does not answer");
  board.replaceChildren(
    make("p", { class: "empty", text: "The matches could not be loaded. Reload the page to try again." }),
  );
}
setInterval(moveClocks, 250);
