import { createServer } from "node:http";
import { chain, hosts, listen, redirect, serveFiles } from "example-site";
import { createPartyline } from "partyline";
import { channels, createScores, folders } from "./app.ts";

const server = createPartyline({ hosts, channels });
const scores = createScores(server);
const http = createServer(chain(scores.api, serveFiles(folders), redirect("/", "/scores/")));
server.attach(http);
scores.run();

console.log(`Scores: ${await listen(http, Number(process.env.PORT ?? 8080))}/scores/`);
