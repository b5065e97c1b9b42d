import type { Goal, LineUp, Phase, Score, Side } from "../events.ts";
import { make, setText } from "./dom.ts";
import { clockFace, placeOf } from "./match-clock.ts";
import { EMPTY_MATCH, type FeedItem, type MatchModel, verdict } from "./match-model.ts";

/** A match on the page. */
export interface MatchCard {
  readonly element: HTMLElement;
  show(match: MatchModel): void;
  /** Moves the clock to a second of the replay. */
  moveTo(second: number, slow: boolean): void;
  /** Celebrates a goal that has just fallen. */
  celebrate(side: Side): void;
}

/** What the feed says of a phase; the others begin without a word. */
const PHASES: Partial<Record<Phase, string>> = {
  "first half": "Kick-off",
  "half-time": "Half-time",
  "before extra time": "After 90 minutes",
  "before penalties": "After 120 minutes",
  over: "Full time",
};

const kickOffTime = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});

export function createMatchCard(): MatchCard {
  const where = make("p", { class: "where" });
  const clock = make("p", { class: "clock" });
  const verdictLine = make("p", { class: "verdict" });
  const teams = [make("span", { class: "name" }), make("span", { class: "name" })] as const;
  const codes = [
    make("span", { class: "code", hidden: true }),
    make("span", { class: "code", hidden: true }),
  ] as const;
  const scores = [make("span", { class: "goals" }), make("span", { class: "goals" })] as const;
  const played = make("span", { class: "played" });
  const marks = make("span", { class: "marks" });
  const feed = make("ol", { class: "feed" });

  const element = make(
    "article",
    { class: "match" },
    make("div", { class: "meta" }, where, clock),
    make(
      "div",
      { class: "board" },
      // Read as one heading, `Mexico 2, South Africa 0`, whatever stands where on the board.
      make(
        "h2",
        {},
        side(codes[0], teams[0], scores[0]),
        make("span", { class: "dash", hidden: true, text: "–" }),
        side(codes[1], teams[1], scores[1]),
      ),
      verdictLine,
    ),
    make("div", { class: "line", hidden: true }, played, marks),
    feed,
  );
  element.addEventListener("animationend", ({ animationName }) => {
    if (animationName === "goal") delete element.dataset.goal;
  });

  let shown: MatchModel = EMPTY_MATCH;

  const show = (match: MatchModel): void => {
    shown = match;
    if (match.lineUp !== undefined) showLineUp(match.lineUp);
    for (const index of [0, 1] as const) setText(scores[index], String(match.score[index]));
    setText(verdictLine, verdict(match));
    feed.replaceChildren(...match.feed.flatMap((item) => feedLine(item)).reverse());
    marks.replaceChildren(...match.feed.filter(isGoal).map((goal) => mark(goal, match.length)));
    element.dataset.length = String(match.length);
    if (match.phase === "over") element.dataset.winner = winner(match);
    else delete element.dataset.winner;
  };

  const showLineUp = ({ teams: sides, round, ground, kickOff }: LineUp): void => {
    for (const index of [0, 1] as const) {
      setText(teams[index], sides[index].name);
      setText(codes[index], sides[index].code);
    }
    // The suburb in brackets is left to the tooltip: a board has one line.
    setText(where, `${round} · ${ground.replace(/ \(.*/, "")} · ${kickOffTime.format(new Date(kickOff))}`);
    where.title = ground;
  };

  return {
    element,
    show,
    moveTo(second, slow) {
      const face = clockFace(shown.phase, second - shown.since, shown.length, slow);
      setText(clock, face.text);
      element.dataset.state = shown.phase === "over" ? "over" : face.running ? "running" : "still";
      played.style.setProperty("--played", face.played.toFixed(4));
    },
    celebrate(scored) {
      delete element.dataset.goal;
      // Reading the layout in between starts the animation anew for a second goal.
      void element.offsetWidth;
      element.dataset.goal = String(scored);
    },
  };
}

function side(code: HTMLElement, name: HTMLElement, goals: HTMLElement): HTMLElement {
  return make("span", { class: "team" }, code, name, goals);
}

function isGoal(item: FeedItem): item is Goal {
  return item.kind === "goal";
}

function winner({ score, shootOut }: MatchModel): string {
  const [one, two] = shootOut ?? score;
  return one === two ? "none" : one > two ? "1" : "2";
}

function feedLine(item: FeedItem): HTMLElement[] {
  if (item.kind === "goal") return [goalLine(item)];
  const text = item.kind === "shoot-out" ? "Penalty shoot-out" : PHASES[item.phase];
  if (text === undefined) return [];
  const score = text === PHASES["first half"] ? "" : dashed(item.score);
  return [make("li", { class: "phase" }, make("span", { text }), make("span", { class: "at", text: score }))];
}

function goalLine({ side: scored, minute, scorer, how, score }: Goal): HTMLElement {
  const who = make("span", { class: "scorer", text: scorer });
  if (how !== undefined) who.append(make("small", { text: ` ${how}` }));
  const line = make(
    "li",
    { class: "goal" },
    make("span", { class: "minute", text: `${minute}′` }),
    who,
    make("span", { class: "at", text: dashed(score) }),
  );
  line.dataset.side = String(scored);
  return line;
}

function mark({ side: scored, minute }: Goal, length: 90 | 120): HTMLElement {
  const dot = make("span", { class: "mark" });
  dot.dataset.side = String(scored);
  dot.style.setProperty("--place", placeOf(minute, length).toFixed(4));
  return dot;
}

function dashed([one, two]: Score): string {
  return `${one}–${two}`;
}
