import { PartylineError } from "../protocol/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../protocol/limits.ts";
import { readOptions, withDefaults } from "../protocol/options.ts";
import { createAuthenticator } from "./authenticate.ts";
import { Channels } from "./channels.ts";
import { type Draft, publishDraft } from "./commands/publish.ts";
import type { Context, Intervals } from "./context.ts";
import { FrameConversation } from "./conversation.ts";
import {
  type ChannelDefinitions,
  compileDefinitions,
  RETENTION_RULES,
  type RetentionOptions,
} from "./definitions.ts";
import { createSafeLogger, Failures } from "./failures.ts";
import { HeadCheck } from "./head-check.ts";
import { readHello } from "./hello.ts";
import { pollHistory, readHistory } from "./history.ts";
import type {
  Appended,
  Authenticate,
  Broker,
  Clock,
  Engine,
  Grants,
  HistoryAnswer,
  HistoryRequest,
  Logger,
  MaybePromise,
  Metrics,
} from "./ports.ts";
import { ChannelReader } from "./reader.ts";
import { Turn } from "./turn.ts";
import { TimerWheel } from "./wheel.ts";
import { WorkQueue } from "./work-queue.ts";

/** Defaults of {@link Intervals}. */
export const DEFAULT_INTERVALS: Intervals = Object.freeze({ mark: 20_000, head: 20_000 });

/** What an engine is made of. */
export interface EngineOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Default: every name is a channel that keeps its history. */
  readonly channels?: ChannelDefinitions | undefined;
  /** Retention where a definition names none. */
  readonly retention?: RetentionOptions | undefined;
  /** Default: every peer may do everything that the definitions allow. */
  readonly authenticate?: Authenticate | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly intervals?: Partial<Intervals> | undefined;
}

/** An {@link Engine} that can be ended. */
export interface OwnedEngine extends Engine {
  /** Ends timers and the broker; connections are their transports' to end. */
  close(): Promise<void>;
}

/**
 * Puts core together.
 *
 * @throws TypeError where a definition or limit is wrong.
 */
export function createEngine(options: EngineOptions): OwnedEngine {
  const { broker, clock, metrics } = options;
  const logger = createSafeLogger(options.logger);
  const failures = new Failures(logger, clock);
  const authenticate = createAuthenticator(options.authenticate);
  const limits = withDefaults("`limits`", "limit", DEFAULT_LIMITS, options.limits);
  const wheel = new TimerWheel(clock, failures);
  const context: Context = {
    broker,
    clock,
    logger,
    failures,
    metrics,
    authenticate,
    limits,
    wheel,
    turn: new Turn(clock),
    intervals: withDefaults("`intervals`", "interval", DEFAULT_INTERVALS, options.intervals),
    definitions: compileDefinitions(
      options.channels,
      readOptions("`retention`", options.retention, RETENTION_RULES),
      limits.messageBytes,
    ),
  };
  const channels = new Channels(context);
  wheel.add(new HeadCheck(context, channels), context.intervals.head);

  const publish = (name: string, draft: Draft, grants: Grants): MaybePromise<Appended> => {
    let outcome: Appended | PartylineError | undefined;
    let late: { resolve(appended: Appended): void; reject(error: PartylineError): void } | undefined;
    publishDraft(context, channels.get(name), draft, { grants }, (settled) => {
      if (settled instanceof PartylineError) late?.reject(settled);
      else late?.resolve(settled);
      outcome = settled;
    });
    if (outcome instanceof PartylineError) throw outcome;
    return outcome ?? new Promise<Appended>((resolve, reject) => (late = { resolve, reject }));
  };

  return {
    limits,
    clock,
    wheel,
    work: new WorkQueue(clock, failures),
    logger,
    failures,
    metrics,
    time: () => broker.time(),
    afterTurn: (fire) => context.turn.after(fire),
    authenticate,
    hello: (line, credentials) => readHello(context, line, credentials),
    open: (connection, grants) => new ChannelReader(context, channels, connection, grants),
    converse: (connection, how) => new FrameConversation(context, channels, connection, how),
    publish: ({ channel, kind, data, id, key }, grants) =>
      publish(channel, { kind, data, id, key, at: undefined }, grants),
    remove: (channel, key, grants) =>
      publish(
        channel,
        { kind: "deleted", data: new Uint8Array(0), id: undefined, key, at: undefined },
        grants,
      ),
    async head(name) {
      const { spec } = channels.get(name);
      const page = await broker.read(spec, { at: "now" }, { messages: 0, bytes: 0 });
      if (page) return { epoch: page.epoch, offset: page.head };
      const subscription = await broker.subscribe(spec, () => undefined);
      subscription.close();
      return subscription.head;
    },
    history(request: HistoryRequest, grants: Grants): MaybePromise<HistoryAnswer> {
      const { wait } = request;
      if (wait === undefined) return readHistory(context, channels, request, grants);
      return pollHistory(context, channels, { ...request, wait }, grants);
    },
    async close() {
      wheel.close();
      await broker.close();
    },
  };
}
