import { MAX_TEXT } from "../message.ts";
import { find, setText } from "./dom.ts";
import { TypingTeller } from "./typing.ts";

/** From here on the counter is shown. */
const COUNT_FROM = MAX_TEXT - 100;

export interface ComposerActions {
  say(text: string): void;
  tellTyping(typing: boolean): void;
}

export interface Composer {
  focus(): void;
  setRoom(room: string): void;
}

/** Where one writes. Enter sends, Shift+Enter begins a new line. */
export function createComposer(actions: ComposerActions): Composer {
  const form = find("composer", HTMLFormElement);
  const input = find("text", HTMLTextAreaElement);
  const button = find("send", HTMLButtonElement);
  const counter = find("counter", HTMLElement);
  const teller = new TypingTeller((typing) => actions.tellTyping(typing));

  /** Too long a text stays as it is: cutting what somebody has pasted would lose its end without a word. */
  const update = (): void => {
    const left = MAX_TEXT - input.value.trim().length;
    button.disabled = left === MAX_TEXT || left < 0;
    counter.hidden = left > MAX_TEXT - COUNT_FROM;
    counter.dataset.over = String(left < 0);
    setText(counter, left < 0 ? `${-left} characters too many` : `${left} characters left`);
    input.setAttribute("aria-invalid", String(left < 0));
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  };

  const send = (): void => {
    if (button.disabled) return;
    const text = input.value.trim();
    input.value = "";
    update();
    actions.say(text);
    teller.stopped();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
    input.focus();
  });
  input.addEventListener("keydown", (event) => {
    // While an input method is composing, Enter chooses a word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  input.addEventListener("input", () => {
    update();
    if (input.value.trim() === "") teller.stopped();
    else teller.typed(Date.now());
  });
  input.addEventListener("blur", () => teller.stopped());
  update();

  return {
    focus: () => input.focus(),
    setRoom(room) {
      teller.stopped();
      input.placeholder = `Write to ${room}`;
      input.setAttribute("aria-label", `Message to ${room}`);
    },
  };
}
