import type { Clock, Day, Run } from "../events.ts";
import { find, make, setText } from "./dom.ts";

/** What the example's own server answers about the replay. */
export interface ReplayState {
  readonly run: Run;
  readonly clock: Clock;
  readonly days: readonly Day[];
  readonly speeds: readonly number[];
}

export interface Controls {
  /** Asks the server what is being played, and fills the form. */
  load(): Promise<ReplayState>;
  showDay(day: string): void;
  showClock(clock: Clock): void;
}

const ADDRESS = "/scores/api/replay";

const longDay = new Intl.DateTimeFormat("en-GB", {
  weekday: "long",
  day: "numeric",
  month: "long",
  timeZone: "UTC",
});
const shortDay = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});

/** The form with which the replay is steered. It only asks: what happens comes back through the stream. */
export function createControls(): Controls {
  const form = find("controls", HTMLFormElement);
  const select = find("days", HTMLSelectElement);
  const speeds = find("speeds", HTMLFieldSetElement);
  const heading = find("day", HTMLElement);
  const problem = find("problem", HTMLElement);
  let days: readonly Day[] = [];

  const ask = async (change: { day: string } | { speed: number }): Promise<void> => {
    try {
      const response = await fetch(ADDRESS, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(change),
      });
      setText(problem, response.ok ? "" : `The server refused: ${await response.text()}`);
    } catch {
      setText(problem, "That did not reach the server. Try again when the connection is back.");
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void ask({ day: select.value });
  });
  speeds.addEventListener("change", ({ target }) => {
    if (target instanceof HTMLInputElement) void ask({ speed: Number(target.value) });
  });

  return {
    async load() {
      const response = await fetch(ADDRESS);
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      const state = (await response.json()) as ReplayState;
      days = state.days;
      select.replaceChildren(...days.map(dayOption));
      for (const choice of speeds.querySelectorAll("label")) choice.remove();
      speeds.append(...state.speeds.map(speedChoice));
      return state;
    },
    showDay(date) {
      select.value = date;
      const day = days.find((each) => each.date === date);
      setText(heading, `${longDay.format(new Date(date))}\u{a0}· ${day?.round ?? ""}`);
    },
    showClock({ speed }) {
      const choice = speeds.querySelector<HTMLInputElement>(`input[value="${speed}"]`);
      if (choice !== null) choice.checked = true;
    },
  };
}

function dayOption({ date, round, matches }: Day): HTMLOptionElement {
  const what = matches.length === 1 ? matches[0] : `${matches.length} matches`;
  const option = make("option", { text: `${shortDay.format(new Date(date))} · ${round} · ${what}` });
  option.value = date;
  return option;
}

function speedChoice(speed: number): HTMLElement {
  const input = make("input");
  input.type = "radio";
  input.name = "speed";
  input.value = String(speed);
  return make("label", {}, input, make("span", { text: speed === 0 ? "Pause" : `${speed}×` }));
}
