/** Options as people write them: a wrong name or value is told at start, by its name and with the nearest right one. */
import express from "express";
import { describe, expect, it } from "vitest";
import { connectBroker, shareBroker } from "../src/brokers/machine/index.ts";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import {
  createPartyline,
  defineChannels,
  grants,
  type Partyline,
  type PartylineOptions,
} from "../src/server.ts";
import { createTestNetwork } from "../src/testing/test-network.ts";
import { runWorkers } from "../src/workers/index.ts";
import { silent } from "./support/line-rig.ts";

const create = (options: unknown): Partyline => createPartyline(options as PartylineOptions);

describe("createPartyline()", () => {
  it("refuses the wrong name of an option, also if its value is undefined, and names the nearest", () => {
    const wrong: readonly (readonly [object, string])[] = [
      [
        { authenticator: { authenticate: () => undefined } },
        'no option "authenticator": did you mean "authenticate"?',
      ],
      [{ authenticator: undefined }, '"authenticate"'],
      [{ auth: () => undefined }, 'no option "auth": did you mean "authenticate"?'],
      [{ rooms: {} }, 'no option "rooms". There are channels, authenticate,'],
      [{ chanels: {} }, 'did you mean "channels"?'],
      [{ Origins: [] }, 'did you mean "origins"?'],
      [{ limits: { conections: 7 } }, 'no limit "conections": did you mean "connections"?'],
      [{ retention: { ages: "7d" } }, 'no option "ages": did you mean "age"?'],
      [{ heartbeat: { pings: 1 } }, 'did you mean "ping"?'],
      [{ intervals: { marks: 1 } }, 'did you mean "mark"?'],
      [{ compression: { treshold: 1 } }, 'did you mean "threshold"?'],
    ];
    for (const [options, text] of wrong) {
      expect(() => create(options)).toThrow(TypeError);
      expect(() => create(options)).toThrow(text);
    }
  });

  it("refuses a value of the wrong form, and names the option", () => {
    const wrong: readonly (readonly [unknown, string])[] = [
      ["options", "takes an object"],
      [[], "takes an object"],
      [{ authenticate: {} }, "`authenticate` of createPartyline() is a function, not an object."],
      [{ origins: "http://localhost:5173" }, "`origins` of createPartyline() is a list of strings"],
      [{ hosts: [8080] }, "`hosts` of createPartyline() is a list of strings"],
      [
        { logger: () => undefined },
        "`logger` of createPartyline() is an object with info(), warn(), error()",
      ],
      [{ broker: {} }, "`broker` of createPartyline() is an object with append()"],
      [{ compression: "yes" }, "`compression` of createPartyline() is true or false"],
      [{ channels: "chat" }, "`channels` is an object"],
      [{ channels: [] }, "`channels` is an object"],
      [{ path: 7 }, "`path` of createPartyline() is a string"],
      [{ retention: { count: -1 } }, "`count` of `retention` is a whole number above 0, not -1."],
      [{ retention: { age: "7 days" } }, "`age` of `retention` is a time in milliseconds"],
      [{ heartbeat: { ping: 0 } }, "`ping` of `heartbeat` is a number above 0, not 0."],
      [{ limits: { messageBytes: "1 MB" } }, '`messageBytes` of `limits` is a number above 0, not "1 MB".'],
    ];
    for (const [options, text] of wrong) {
      expect(() => create(options)).toThrow(TypeError);
      expect(() => create(options)).toThrow(text);
    }
  });

  it.each([undefined, null])("takes %s as not given, everywhere", async (nothing) => {
    const names = ["channels", "broker", "retention", "limits", "path", "hosts", "origins"];
    const more = ["compression", "heartbeat", "intervals", "logger", "clock", "authenticate"];
    const nested = {
      limits: { messageBytes: nothing },
      retention: { count: nothing, age: nothing },
      heartbeat: { ping: nothing },
      intervals: { mark: nothing },
      compression: { threshold: nothing },
      channels: { "a/*": { keep: nothing, retention: { count: nothing, bytes: 100_000 }, publish: nothing } },
      logger: silent,
    };
    for (const options of [
      Object.fromEntries([...names, ...more].map((name) => [name, nothing])),
      nested,
      nothing,
    ]) {
      await using server = create(options);
      const { port, address } = await server.listen(0, nothing as undefined, nothing as undefined);
      expect([port > 0, address]).toEqual([true, "127.0.0.1"]);
      await server.drain({ within: 1, rate: nothing } as object);
    }
  });
});

describe("a channel's definition", () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ retentoin: {} }, 'the channel "chat/:room" has no key "retentoin": did you mean "retention"?'],
    [
      { keep: "latests" },
      '`keep` of the channel "chat/:room" is one of "history", "latest", "nothing", not "latests".',
    ],
    [
      { publish: "servr" },
      '`publish` of the channel "chat/:room" is one of "server", "anyone", not "servr".',
    ],
    [{ publish: false }, "not false."],
    [{ retention: { cuont: 1 } }, 'did you mean "count"?'],
    [{ retention: "7d" }, '`retention` of the channel "chat/:room" takes an object'],
    [{ maxKeys: 0 }, "`maxKeys` of the channel"],
    [{ idleAge: "a day" }, "`idleAge` of the channel"],
    [
      { message: { parse: () => 1 } },
      '`message` of the channel "chat/:room" is a schema that speaks Standard Schema',
    ],
  ];

  it.each(wrong)("%j is refused by createPartyline() and by defineChannels()", (definition, text) => {
    const channels = { "chat/:room": definition };
    for (const make of [() => create({ channels }), () => defineChannels(channels)]) {
      expect(make).toThrow(TypeError);
      expect(make).toThrow(text);
    }
  });

  it("is refused if it is no object", () => {
    for (const definition of [true, "history", []]) {
      const channels = { a: definition } as unknown as NonNullable<PartylineOptions["channels"]>;
      expect(() => defineChannels(channels)).toThrow('the channel "a" takes an object');
    }
  });
});

describe("other options", () => {
  it("of listen, drain, publish and history are refused by their names", async () => {
    await using server = create({ logger: silent });
    await expect(server.listen(0, "127.0.0.1", { resuePort: true } as object)).rejects.toThrow(
      '"reusePort"?',
    );
    await expect(server.listen(0, "127.0.0.1", { tls: { crt: "x" } } as object)).rejects.toThrow('"cert"?');
    expect(() => server.drain({ witin: 1 } as object)).toThrow('"within"?');
    expect(() => server.drain({ rate: 0 })).toThrow("`rate` of drain() is a number above 0");
    const channel = server.channel("a");
    await expect(channel.publish(1, { idd: "x" } as object)).rejects.toThrow('"id"?');
    await expect(channel.publish(1, { kind: "jsn" } as object)).rejects.toThrow('"json"');
    await expect(channel.history({ sinse: "now" } as object)).rejects.toThrow('"since"?');
    expect((await channel.history()).messages).toEqual([]);
  });

  it("of brokers, workers and test networks are refused by their names", async () => {
    expect(() => createMemoryBroker({ maxChanels: 1 } as object)).toThrow('"maxChannels"?');
    expect(() => createMemoryBroker({ maxChannels: 0 })).toThrow("`maxChannels` of createMemoryBroker()");
    await expect(shareBroker(createMemoryBroker(), { pth: "x" } as object)).rejects.toThrow('"path"?');
    await expect(connectBroker("nowhere", { loger: silent } as object)).rejects.toThrow('"logger"?');
    const serve = () => Promise.reject(new Error("never called"));
    await expect(runWorkers(serve, { worker: 2 } as object)).rejects.toThrow('"workers"?');
    await expect(runWorkers(serve, { workers: 1.5 })).rejects.toThrow(
      "`workers` of runWorkers() is a whole number",
    );
    await expect(createTestNetwork({ sed: 1 } as object)).rejects.toThrow('"seed"?');
    await expect(createTestNetwork({ mode: "socket" } as object)).rejects.toThrow('"sockets"');
  });

  it("of grants are patterns with lists of actions", () => {
    const wrong: readonly (readonly [unknown, string])[] = [
      [{ "chat/*": ["subscibe"] }, 'An action of "chat/*" is one of "subscribe", "publish", not "subscibe".'],
      [{ "chat/*": "subscribe" }, 'The actions of "chat/*" are a list'],
      [["chat/*"], "`grants` takes actions by pattern"],
      [undefined, "`grants` takes actions by pattern"],
    ];
    for (const [table, text] of wrong) {
      expect(() => grants(table as Parameters<typeof grants>[0])).toThrow(TypeError);
      expect(() => grants(table as Parameters<typeof grants>[0])).toThrow(text);
    }
  });

  it("attach() refuses what is no server, with the remedy", async () => {
    await using server = create({ logger: silent });
    const attach = (value: unknown): void => server.attach(value as Parameters<Partyline["attach"]>[0]);
    expect(() => attach(express())).toThrow("createServer(app)");
    for (const value of [undefined, null, 8080, {}, { server: {} }])
      expect(() => attach(value)).toThrow(TypeError);
  });
});
