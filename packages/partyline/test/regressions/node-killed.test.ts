import { afterEach, expect, it } from "vitest";
import { startServer } from "../cli/support.ts";
import { type Follower, FOLLOWERS } from "../support/followers.ts";

const followers: Follower[] = [];

afterEach(async () => {
  for (const follower of followers.splice(0)) await follower[Symbol.asyncDispose]();
});

/** Publishes to the channel `a` from outside. */
async function post(url: string, text: string): Promise<void> {
  const response = await fetch(`${url}/channels/a`, { method: "POST", body: text });
  expect(response.status).toBe(201);
}

it("a server that is killed and started again takes nobody on in silence: all are told a gap, then go on (streams-adapter#27)", async () => {
  const first = await startServer();
  for (const { follow } of FOLLOWERS) followers.push(follow({ url: first.url, channel: "a", since: "now" }));
  await Promise.all(followers.map(({ opened }) => opened));
  await post(first.url, "acknowledged");
  expect(await Promise.all(followers.map((follower) => follower.next()))).toEqual(
    followers.map(() => "acknowledged"),
  );

  // SIGKILL: nothing can be said any more.
  await first[Symbol.asyncDispose]();
  await using second = await startServer(["--open", "--port", first.port]);
  expect(second.port).toBe(first.port);
  // Each is told its gap once, whenever it comes: before the message or, in one answer with it, beside it.
  await post(second.url, "after the restart");
  for (const [index, follower] of followers.entries())
    expect([FOLLOWERS[index]?.name, await follower.next(), await follower.next()]).toEqual([
      FOLLOWERS[index]?.name,
      "gap epoch",
      "after the restart",
    ]);
});
