/** How soon a silent server is asked, and what the last connection taught about that. */
export interface Pace {
  /** Silence after which the server is asked, ms. */
  readonly interval: number;
  /** The silence in which the last connection ended without a word, ms; `undefined` where it ended otherwise. */
  readonly silence?: number | undefined;
}

/** After less than this the silence is not what ended a connection, ms. */
const SHORTEST = 2500;

/**
 * Learns from the end of a connection. Two that died without a word at about the same age of silence, one after the
 * other, say that somebody on the way ends what is quiet for so long: so the next ones are not. Two at different ages
 * say that this was not the reason.
 *
 * @param silence How long nothing had been heard when it ended without a word; `undefined` where it ended otherwise.
 */
export function nextPace({ interval, silence: last }: Pace, normal: number, silence: number = 0): Pace {
  if (silence < SHORTEST) return { interval };
  if (!last) return { interval, silence };
  return Math.abs(silence - last) < silence / 10
    ? { interval: Math.min(normal, silence * 0.6) }
    : { interval: normal, silence };
}
