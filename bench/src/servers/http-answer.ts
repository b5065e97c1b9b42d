/** A yardstick: reads a body and answers 60 bytes. */
import { createServer } from "node:http";
import { listen } from "./room.ts";

const ANSWER = JSON.stringify({ position: "0mhlk2v9q7xa:1", time: 1_793_000_000_000 }).padEnd(60);

listen(
  createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      if (Buffer.concat(pieces).length === 0) response.statusCode = 400;
      response.setHeader("content-type", "application/json");
      response.end(ANSWER);
    });
  }),
);
