import type { Evidence, Violation } from "./evidence.ts";
import { judgeLog } from "./judge-log.ts";
import { judgeReader } from "./judge-reader.ts";

/**
 * Holds what readers and publishers were told against each other, and against the log where that is known. Pure: the
 * same evidence gives the same answer.
 *
 * @returns the promises that were broken, none where all is well.
 */
export function judge(evidence: Evidence): Violation[] {
  return evidence.channels.flatMap((channel) => [
    ...judgeLog(channel, evidence),
    ...evidence.readers
      .filter((reader) => reader.channel === channel.channel)
      .flatMap((reader) => judgeReader(reader, channel)),
  ]);
}
