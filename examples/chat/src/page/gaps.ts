/** What the client tells of a gap, as far as the sentence needs it. */
interface Gap {
  readonly reason: string;
  readonly lost?: number | undefined;
}

/** Says honestly what is missing and why. */
export function gapSentence({ reason, lost }: Gap): string {
  const what =
    lost === undefined
      ? "Messages may be gone"
      : lost === 1
        ? "1 message is gone"
        : `${lost} messages are gone`;
  return `${what}: ${whyOf(reason)}`;
}

function whyOf(reason: string): string {
  switch (reason) {
    case "retention":
      return "you were away longer than this room keeps them.";
    case "epoch":
      return "the server was started anew and has lost what came before.";
    case "unauthorized":
      return "they were written while you had no access to this room.";
    default:
      return "the server does not know the place where you were.";
  }
}
