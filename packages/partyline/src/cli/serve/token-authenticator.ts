import { createHash, timingSafeEqual } from "node:crypto";
import { isReservedName } from "../../protocol/channel-name.ts";
import { PartylineError } from "../../protocol/errors.ts";
import type { Authenticator } from "../../server.ts";

/** Lets everybody subscribe, and who shows the token publish too. A wrong token is refused, not overlooked. */
export function tokenAuthenticator(token: string): Authenticator {
  const expected = digest(token);
  return {
    authenticate(credentials) {
      const shown = credentials.token ?? bearer(credentials.header("authorization"));
      // Digests have one length, which comparing in constant time needs.
      if (shown !== undefined && !timingSafeEqual(digest(shown), expected))
        throw new PartylineError("unauthorized", "The token is not the one of this server.");
      const publishes = shown !== undefined;
      return {
        allows: (action, channel) => !isReservedName(channel) && (action === "subscribe" || publishes),
      };
    },
  };
}

function bearer(header: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(header ?? "")?.[1];
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
