/** Receives messages as fast as it can, in a process of its own. Tells {@link Consumed}. */
import { createClient } from "partyline/client";
import type { ConsumeOrder, Consumed } from "./order.ts";

const { port, warm, messages, by } = JSON.parse(process.argv[2] ?? "{}") as ConsumeOrder;

let count = 0;
let began = 0;
let before = process.cpuUsage();

function take(): void {
  count += 1;
  if (count === warm) [began, before] = [performance.now(), process.cpuUsage()];
  if (count < warm + messages) return;
  const { user, system } = process.cpuUsage(before);
  const result: Consumed = {
    messages,
    seconds: (performance.now() - began) / 1_000,
    cpu: user + system,
  };
  process.send?.(result, () => process.exit());
}

process.on("disconnect", () => process.exit());
if (by === "partyline/client") {
  const client = createClient(`http://127.0.0.1:${port}`);
  client.channel("r0").on("message", take);
} else {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/connect`);
  // The server goes on when it has heard something.
  socket.onopen = () => socket.send("hello");
  socket.onmessage = ({ data }) => {
    if (String(data).includes('"attached"')) socket.onmessage = take;
  };
}
