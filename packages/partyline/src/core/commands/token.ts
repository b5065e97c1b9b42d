import type { Context } from "../context.ts";
import { SharedItem } from "../outgoing.ts";
import type { Grants } from "../ports.ts";
import type { ChannelReader } from "../reader.ts";

/** New grants on a connection: what is no longer allowed is detached alone, all other cursors stay where they are. */
export function regrant(context: Context, reader: ChannelReader, grants: Grants): void {
  reader.grants = grants;
  for (const { channel } of reader.attached.slice()) {
    if (grants.allows("subscribe", channel.name)) continue;
    reader.write(new SharedItem(channel, { is: "detached", code: "forbidden" }));
    reader.detach(channel.name);
    context.logger.info("detached: no longer granted", { channel: channel.name });
  }
}
