/** Waits this long for more: after a reconnect several goals come at once and are read out together. */
const PAUSE = 400;

/**
 * Speaks through a live region. A region that changes again before it was read loses the first text, so what
 * comes close together becomes one text.
 */
export function createAnnouncer(region: HTMLElement): (sentence: string) => void {
  let waiting: string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const speak = (): void => {
    timer = undefined;
    region.textContent = waiting.join(" ");
    waiting = [];
  };

  return (sentence) => {
    waiting.push(sentence);
    timer ??= setTimeout(speak, PAUSE);
  };
}
