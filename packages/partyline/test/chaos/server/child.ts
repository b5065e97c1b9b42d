/** A server in a process of its own, which can be killed and stopped. Ends with the process that started it. */
import { createMemoryBroker } from "../../../src/brokers/memory/index.ts";
import { connectBroker } from "../../../src/brokers/machine/index.ts";
import { flatten } from "../../support/flat-error.ts";
import { createChaosServer } from "../chaos-server.ts";
import { createTroubledBroker } from "../trouble.ts";
import { DRAIN } from "../world.ts";
import type { Answer, Request, Requests, ServerStart } from "./messages.ts";

const start = JSON.parse(process.argv[2] ?? "") as ServerStart;

let ahead = start.ahead;
const own = createMemoryBroker({ now: () => Date.now() + ahead });
const remote = start.past === undefined ? undefined : await connectBroker(start.past);
const { broker, add } = createTroubledBroker(remote ?? own);
const { server, ends } = createChaosServer({ broker });

const requests: Requests = {
  publish: (channel, data, options) => server.channel(channel).publish(data, options),
  async jump(ms) {
    ahead += ms;
    // What another process moves shows by whatever is answered.
    await remote?.heads([]);
  },
  forget: async (channel) => own.forget(channel),
  trouble: async (...args) => add(...args),
  ends,
  close: () => server.close(),
  drain: () => server.drain(DRAIN),
};

const say = (answer: Answer): void => void process.send?.(answer);

process.on("message", ({ n, method, args }: Request) => {
  const act = requests[method] as (...given: readonly unknown[]) => Promise<unknown>;
  act(...args).then(
    (value) => say({ is: "answer", n, value }),
    (error: unknown) => say({ is: "failure", n, error: flatten(error) }),
  );
});
process.on("disconnect", () => process.exit());

const { port } = await server.listen(0);
say({ is: "listening", port });
