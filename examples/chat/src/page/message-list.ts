import { make, setText } from "./dom.ts";
import { hueOf, initials, type MessageRow, type Row } from "./rows.ts";

export interface MessageActions {
  tryAgain(id: string): void;
  discard(id: string): void;
}

/** Shows rows in a list; an element stays as long as its row does, so that nothing is announced or selected anew. */
export interface MessageList {
  show(rows: readonly Row[]): void;
}

const FATES = { stored: "Sent", waiting: "Not sent yet", failed: "Not sent" } as const;

const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export function createMessageList(list: HTMLElement, actions: MessageActions): MessageList {
  let shown = new Map<string, { element: HTMLElement; row: string }>();

  return {
    show(rows) {
      const next: typeof shown = new Map();
      let place = list.firstElementChild;
      for (const row of rows) {
        const text = JSON.stringify(row);
        const before = shown.get(row.key);
        const element = before?.row === text ? before.element : render(row, actions);
        if (before !== undefined && before.element !== element) {
          if (before.element === place) place = place.nextElementSibling;
          before.element.replaceWith(element);
        } else if (element !== place) list.insertBefore(element, place);
        if (element === place) place = place.nextElementSibling;
        next.set(row.key, { element, row: text });
      }
      for (const [key, { element }] of shown) if (!next.has(key)) element.remove();
      shown = next;
    },
  };
}

function render(row: Row, actions: MessageActions): HTMLElement {
  switch (row.kind) {
    case "day":
      return make("li", { class: "day" }, make("span", { text: row.label }));
    case "missing":
      return make("li", { class: "missing" }, make("p", { text: row.text }));
    case "message":
      return renderMessage(row, actions);
  }
}

function renderMessage(row: MessageRow, actions: MessageActions): HTMLElement {
  const { by, name, text, own, first, state, time } = row;
  const when = make("time", { text: clockTime.format(time) });
  when.dateTime = new Date(time).toISOString();
  const head = make("p", { class: "head" }, make("b", { class: "name", text: name }), when);
  const body = make("div", { class: "body" }, head, make("p", { class: "text", text }));
  if (own) body.append(renderFate(row, actions));

  const avatar = make("span", { class: "avatar", text: initials(name) });
  avatar.setAttribute("aria-hidden", "true");
  const element = make("li", { class: "message" }, avatar, body);
  element.style.setProperty("--hue", String(hueOf(by)));
  element.dataset.state = state;
  element.toggleAttribute("data-own", own);
  element.toggleAttribute("data-first", first);
  return element;
}

/** What has become of an own message. */
function renderFate({ state, id, problem }: MessageRow, actions: MessageActions): HTMLElement {
  const fate = make("p", { class: "fate" });
  setText(fate, state === "failed" && problem !== undefined ? `${FATES.failed}: ${problem} ` : FATES[state]);
  if (state === "failed" && id !== undefined) {
    const again = make("button", { text: "Try again" });
    again.addEventListener("click", () => actions.tryAgain(id));
    const discard = make("button", { text: "Discard" });
    discard.addEventListener("click", () => actions.discard(id));
    for (const button of [again, discard]) button.type = "button";
    fate.append(again, discard);
  }
  return fate;
}
