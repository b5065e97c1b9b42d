import type { Context } from "../context.ts";
import { SharedItem } from "../outgoing.ts";
import { mayDo } from "../grants.ts";
import type { Grants } from "../ports.ts";
import type { ChannelReader } from "../reader.ts";

/** New grants on a connection: what is no longer allowed is detached alone, all other cursors stay where they are. */
export function regrant(context: Context, reader: ChannelReader, grants: Grants): void {
  // Decided before anything is changed: the application's `allows` may throw.
  const denied = reader.attached.filter(({ channel }) => !mayDo(grants, "subscribe", channel.name));
  reader.grants = grants;
  for (const { channel } of denied) {
    reader.write(new SharedItem(channel, { is: "detached", code: "forbidden" }));
    reader.detach(channel.name);
    context.logger.info("detached: no longer granted", { channel: channel.name });
  }
}
