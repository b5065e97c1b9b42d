import { createServer } from "node:http";
import { chain, hosts, listen, redirect, serveFiles } from "example-site";
import { createPartyline } from "partyline";
import { channels, folders } from "./app.ts";

const server = createPartyline({ hosts, channels });
const http = createServer(chain(serveFiles(folders), redirect("/", "/chat/")));
server.attach(http);

console.log(`Chat: ${await listen(http, Number(process.env.PORT ?? 8080))}/chat/`);
