import { createHash, timingSafeEqual } from "node:crypto";
import { isReservedName } from "../../protocol/channel-name.ts";
import { PartylineError } from "../../protocol/errors.ts";
import type { Authenticate } from "../../server.ts";

/** Lets every peer subscribe, and a peer with the token publish too. A wrong token is refused, not ignored. */
export function authenticateToken(token: string): Authenticate {
  const expected = digest(token);
  return (credentials) => {
    const shown = credentials.token ?? bearer(credentials.header("authorization"));
    // Digests have one length, which comparing in constant time needs.
    if (shown !== undefined && !timingSafeEqual(digest(shown), expected))
      throw new PartylineError("unauthorized", "The token is not the one of this server.");
    const publishes = shown !== undefined;
    return {
      grants: {
        allows: (action, channel) => !isReservedName(channel) && (action === "subscribe" || publishes),
      },
    };
  };
}

function bearer(header: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(header ?? "")?.[1];
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
