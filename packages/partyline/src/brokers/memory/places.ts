import type { AppendOutcome, NewMessage } from "../../core/ports.ts";
import { PartylineError } from "../../protocol/errors.ts";
import { entryBytes } from "../../protocol/message.ts";
import type { Channel } from "./channel.ts";
import { IdWindow, type KnownId } from "./ids.ts";
import { KeyCount, LatestLog } from "./latest.ts";

/**
 * The place that each publish with an id has or will have; `undefined` where no message has an id and none can be
 * refused. Where one is refused nothing is changed.
 */
export function takePlaces(
  channel: Channel,
  messages: readonly NewMessage[],
  time: number,
): (KnownId | undefined)[] | undefined | Extract<AppendOutcome, { is: "refused" }> {
  const { log, head } = channel;
  const keys = log instanceof LatestLog ? keyCount(log, channel, messages) : undefined;
  let places: (KnownId | undefined)[] | undefined;
  let offset = head + 1;
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index];
    if (message === undefined) continue;
    const { id } = message;
    let error: PartylineError | undefined;
    let isNew = true;
    if (id !== undefined) {
      if (places === undefined) {
        places = [];
        channel.ids ??= new IdWindow();
        channel.ids.trim(time);
      }
      const place = channel.ids?.reserve(id, message, { offset, time });
      if (place instanceof PartylineError) error = place;
      else {
        places[index] = place;
        isNew = place?.offset === offset;
      }
    }
    const problem = error === undefined && isNew ? keys?.problem(message) : undefined;
    if (problem !== undefined)
      error = new PartylineError("too-many-keys", `The channel ${channel.spec.name} ${problem}.`);
    if (error !== undefined) {
      for (const place of places ?? []) if (place && place.offset > head) channel.ids?.release(place);
      return { is: "refused", index, error };
    }
    if (isNew) offset += 1;
  }
  return places;
}

/** `undefined` if the batch can't reach a bound, whatever its keys are. */
function keyCount(
  log: LatestLog,
  { spec: { maxKeys, retention } }: Channel,
  messages: readonly NewMessage[],
): KeyCount | undefined {
  let bytes = log.valueBytes;
  for (const message of messages) bytes += entryBytes(message);
  if (log.values + messages.length <= maxKeys && bytes <= retention.bytes) return undefined;
  return new KeyCount(log, maxKeys, retention.bytes);
}
