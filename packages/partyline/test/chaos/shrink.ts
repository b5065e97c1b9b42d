import type { History, Step } from "./history.ts";

/** Does the history still fail in the same way? */
export type StillFails = (history: History) => Promise<boolean>;

/**
 * Looks for a shorter history that still fails: steps are left out, in big pieces first, then what is left is made
 * simpler. Ends with the shortest one found when nothing more can be left out, or when `more` says that it is enough.
 */
export async function shrinkHistory(
  history: History,
  stillFails: StillFails,
  more: () => boolean,
): Promise<History> {
  let shortest = history;
  const attempt = async (steps: readonly Step[]): Promise<boolean> => {
    if (!more()) return false;
    const candidate = { ...shortest, steps };
    if (!(await stillFails(candidate))) return false;
    shortest = candidate;
    return true;
  };

  for (let piece = Math.ceil(history.steps.length / 2); piece >= 1 && more();) {
    let shortened = false;
    // From the end: what comes late is what the failure needs least, mostly.
    for (let start = shortest.steps.length - piece; start > -piece && more(); start -= piece) {
      const { steps } = shortest;
      shortened =
        (await attempt([...steps.slice(0, Math.max(0, start)), ...steps.slice(start + piece)])) || shortened;
    }
    if (piece > 1) piece = Math.floor(piece / 2);
    else if (!shortened) break;
  }
  for (let index = 0; index < shortest.steps.length; index++)
    for (const simple of simplerSteps(shortest.steps[index]))
      if (await attempt(shortest.steps.with(index, simple))) break;
  return shortest;
}

/** The simplest first. */
function simplerSteps(step: Step | undefined): Step[] {
  if (step?.do === "publish") {
    const { count, bytes } = step;
    return [
      { ...step, count: 1, bytes: 0 },
      { ...step, count, bytes: 0 },
      { ...step, count: Math.ceil(count / 4), bytes },
    ].filter((simple) => simple.count !== count || simple.bytes !== bytes);
  }
  if (step?.do === "pass" && step.ms > 10)
    return [
      { ...step, ms: 1 },
      { ...step, ms: Math.ceil(step.ms / 4) },
    ];
  if (step?.do === "storm" && step.clients > 1) return [{ ...step, clients: 1 }];
  if (step?.do === "read" && step.pace !== undefined) return [{ ...step, pace: 0 }];
  return [];
}
