import { gzip } from "node:zlib";
import { acceptsGzip } from "./accepts-gzip.ts";
import { bodyLength, joinBody } from "./answer-body.ts";
import type { Exchange, Reply, WholeAnswer } from "./exchange.ts";
import type { Service } from "./service.ts";

/**
 * Gives the answer with `Content-Encoding: gzip` where that is worth it and the peer takes it. Only for answers that hold
 * what one channel got. They may be large and are nobody else's, so that they are compressed beside the event loop.
 */
export function packed(
  { compression, engine }: Service,
  exchange: Exchange,
  reply: Reply,
): (answer: WholeAnswer) => void {
  if (!compression || !acceptsGzip(exchange.header("accept-encoding"))) return reply;
  return (answer) => {
    const before = bodyLength(answer.body);
    if (before < compression.threshold) return reply(answer);
    gzip(joinBody(answer.body), (error, packed) => {
      if (error) return reply(answer);
      engine.metrics.count("compressed", "before", before);
      engine.metrics.count("compressed", "after", packed.length);
      reply({ ...answer, body: [packed], headers: [...answer.headers, "Content-Encoding", "gzip"] });
    });
  };
}
