import { defineChannels } from "partyline";

export const channels = defineChannels({
  // What is being played, and its clock: only the newest of each is of any use.
  "scores/replay": { keep: "latest", publish: "server" },
  // One channel per match and run. It is kept whole, so whoever comes late reads it from the start.
  "scores/:run/:match": { publish: "server", retention: { count: 200, age: "1d" } },
});
