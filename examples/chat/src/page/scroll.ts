import { setText } from "./dom.ts";

/** This close to the end counts as reading the newest. */
const NEAR = 80;

/** Keeps a list at its end while the reader is there, and otherwise says what has come. */
export interface Scroll {
  /** Call around a change of the list; `added` messages of others came with it. */
  around(change: () => void, added: number): void;
  toEnd(): void;
}

export function createScroll(list: HTMLElement, button: HTMLButtonElement): Scroll {
  let unseen = 0;
  let atEnd = true;
  /** Where the end was when the list was last brought there. */
  let end = 0;

  const measure = (): boolean => list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;

  const showButton = (): void => {
    button.hidden = atEnd || unseen === 0;
    setText(button, unseen === 1 ? "1 new message ↓" : `${unseen} new messages ↓`);
  };

  const toEnd = (): void => {
    list.scrollTop = list.scrollHeight;
    end = list.scrollTop;
    atEnd = true;
    unseen = 0;
    showButton();
  };

  list.addEventListener("scroll", () => {
    atEnd = measure();
    if (atEnd) unseen = 0;
    showButton();
  });
  // A keyboard on the screen, or a longer text being written, takes room from the list.
  new ResizeObserver(() => {
    if (atEnd) toEnd();
  }).observe(list);
  button.addEventListener("click", () => {
    toEnd();
    list.focus();
  });

  return {
    around(change, added) {
      // The event of a scroll comes a frame later than the scroll, and a message may come in between.
      if (atEnd && list.scrollTop < end) atEnd = measure();
      change();
      if (atEnd) return toEnd();
      unseen += added;
      showButton();
    },
    toEnd,
  };
}
