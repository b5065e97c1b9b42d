import type { Server as HttpServer } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import { describe, expectTypeOf, it } from "vitest";
import { follow, type Follower } from "../src/client/follow/index.ts";
import {
  type Channel,
  type Client,
  createClient,
  type Message,
  type MessageOf,
} from "../src/client/index.ts";
import { defineChannels, type Partyline, type StandardSchema } from "../src/server.ts";

interface Chat {
  readonly text: string;
}
interface Price {
  readonly cents: number;
}

function schema<T>(): StandardSchema<T> {
  return { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as T }) } };
}

const channels = defineChannels({
  "chat/:room": { message: schema<Chat>(), retention: { count: 10, age: "7d" } },
  "prices/*": { keep: "latest", message: schema<Price>() },
  "files/**": {},
});

describe("the types of a server", () => {
  it("take every kind of server that serve() of @hono/node-server may return", () => {
    type ServerType = HttpServer | Http2Server | Http2SecureServer;
    expectTypeOf<Partyline["attach"]>().toBeCallableWith({} as ServerType);
  });
});

describe("the types of a client", () => {
  it("follow from the definition that matches a channel's name", () => {
    type Named = typeof channels;
    expectTypeOf<MessageOf<Named, "chat/general">>().toEqualTypeOf<Chat>();
    expectTypeOf<MessageOf<Named, "prices/ACME">>().toEqualTypeOf<Price>();
    expectTypeOf<MessageOf<Named, `chat/${string}`>>().toEqualTypeOf<Chat>();
  });

  it("are unknown without a schema, and never for a name that nothing matches", () => {
    type Named = typeof channels;
    expectTypeOf<MessageOf<Named, "files/a/b/c">>().toEqualTypeOf<unknown>();
    expectTypeOf<MessageOf<Named, "chat">>().toEqualTypeOf<never>();
    expectTypeOf<MessageOf<Named, "chat/a/b">>().toEqualTypeOf<never>();
  });

  it("reach channels through createClient, which without definitions leaves them to the caller", async () => {
    const client = createClient<typeof channels>("http://127.0.0.1:9");
    const plain = createClient("http://127.0.0.1:9");
    expectTypeOf(client.channel("chat/general")).toEqualTypeOf<Channel<Chat>>();
    expectTypeOf(plain).toEqualTypeOf<Client>();
    expectTypeOf(plain.channel<Price>("chat/general")).toEqualTypeOf<Channel<Price>>();
    await client.close();
    await plain.close();
  });

  it("let a typed client stand for an untyped one, and keep the types of its own names", async () => {
    const client = createClient<typeof channels>("http://127.0.0.1:9");
    const watch = (any: Client): Channel<Price> => any.channel<Price>("prices/ACME");
    expectTypeOf(watch(client)).toEqualTypeOf<Channel<Price>>();
    expectTypeOf(client).toExtend<Client>();
    expectTypeOf(client.channel("prices/ACME")).toEqualTypeOf<Channel<Price>>();
    expectTypeOf(client.channel("nothing/matches/this")).toEqualTypeOf<Channel<never>>();
    const initial = { state: 0, position: "0mhlk2v9q7xa:0" };
    const how = { initial, snapshot: () => initial, reduce: (sum: number) => sum };
    expectTypeOf(follow<Price, number>(client, "prices/ACME", how)).toEqualTypeOf<Follower<number>>();
    await client.close();
  });

  it("reach what follows a channel", async () => {
    const client = createClient<typeof channels>("http://127.0.0.1:9");
    const plain = createClient("http://127.0.0.1:9");
    const initial = { state: 0, position: "0mhlk2v9q7xa:0" };
    const typed = follow(client, "prices/ACME", {
      initial,
      snapshot: () => initial,
      reduce: (sum, { data }) => sum + data.cents,
    });
    expectTypeOf(typed).toEqualTypeOf<Follower<number>>();
    const lazily = client.channel("prices/ACME").follow({
      initial,
      snapshot: () => initial,
      reduce: (sum, { data }) => sum + data.cents,
    });
    expectTypeOf(lazily).toEqualTypeOf<Promise<Follower<number>>>();
    const told = follow(plain, "prices/ACME", {
      initial,
      snapshot: () => initial,
      reduce: (sum, { data }: Message<Price>) => sum + data.cents,
    });
    expectTypeOf(told).toEqualTypeOf<Follower<number>>();
    follow(plain, "prices/ACME", {
      initial,
      snapshot: () => initial,
      reduce(sum, { data }) {
        expectTypeOf(data).toEqualTypeOf<unknown>();
        return sum;
      },
    });
    await client.close();
    await plain.close();
  });
});
