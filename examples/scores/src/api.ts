import type { ServerResponse } from "node:http";
import { BadRequest, type Handler, readJson, sendJson } from "example-site";
import { type Replay, SPEEDS } from "./replay.ts";

/** What is played to begin with: six matches, two of them with an own goal. */
export const FIRST_DAY = "2026-06-24";

const PATH = "/scores/api/replay";

/** `GET` tells what is being played, `POST { day }` begins a day, `POST { speed }` changes the pace. */
export function replayApi(replay: Replay): Handler {
  return (req, res, next) => {
    if (req.url?.split("?", 1)[0] !== PATH) return next();
    if (req.method === "GET") {
      // The first visitor starts it: nobody should find a match that was played to empty ranks.
      if (replay.run.run === 0) replay.start(FIRST_DAY);
      sendState(res, replay);
    } else if (req.method === "POST") {
      readJson(req)
        .then((body) => {
          change(replay, body);
          sendState(res, replay);
        })
        .catch((error: unknown) => sendError(res, error));
    } else res.writeHead(405, { allow: "GET, POST" }).end("Use GET or POST.\n");
  };
}

function sendState(res: ServerResponse, replay: Replay): void {
  const { run, clock, days } = replay;
  sendJson(res, 200, { run, clock, days, speeds: SPEEDS });
}

function change(replay: Replay, body: unknown): void {
  const { day, speed } = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  if (typeof day === "string" && replay.days.some(({ date }) => date === day)) replay.start(day);
  else if (SPEEDS.some((each) => each === speed)) replay.setSpeed(Number(speed));
  else throw new BadRequest(422, `Send { "day": "${FIRST_DAY}" } or { "speed": ${SPEEDS.at(-1)} }.`);
}

function sendError(res: ServerResponse, error: unknown): void {
  const refused = error instanceof BadRequest;
  if (!refused) console.error(error);
  const text = refused ? error.message : "That went wrong here.";
  res.writeHead(refused ? error.status : 500, { "content-type": "text/plain; charset=utf-8" }).end(text);
}
