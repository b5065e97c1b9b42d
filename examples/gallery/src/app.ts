import { createServer, type Server } from "node:http";
import { join } from "node:path";
import * as chat from "example-chat";
import * as scores from "example-scores";
import { chain, hosts, serveFiles } from "example-site";
import { createPartyline } from "partyline";

const here = join(import.meta.dirname, "..");

/** All examples on one HTTP server and one partyline server: channels are told apart by their names. */
export function createGallery(): { http: Server; close(): Promise<void> } {
  const server = createPartyline({ hosts, channels: { ...chat.channels, ...scores.channels } });
  const replay = scores.createScores(server);
  const files = serveFiles({
    "/": join(here, "public"),
    "/dist/": join(here, "dist"),
    ...chat.folders,
    ...scores.folders,
  });
  const http = createServer(chain(replay.api, files));
  server.attach(http);
  const stop = replay.run();
  return {
    http,
    async close() {
      stop();
      await server.close();
      http.close();
      http.closeAllConnections();
    },
  };
}
