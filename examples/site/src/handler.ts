import type { IncomingMessage, ServerResponse } from "node:http";

/** Answers the request, or hands it on by calling `next`. */
export type Handler = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

/** Asks each handler in turn; what nobody answers is a 404. */
export function chain(...handlers: Handler[]): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    const ask = (index: number): void => {
      const handler = handlers[index];
      if (handler !== undefined) return handler(req, res, () => ask(index + 1));
      res.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("Nothing here.\n");
    };
    ask(0);
  };
}

/** Leads exactly one path to another. */
export function redirect(from: string, to: string): Handler {
  return (req, res, next) => {
    if (pathOf(req) !== from) return next();
    res.writeHead(302, { location: to }).end();
  };
}

/** The path of a request as it was sent: not decoded, without the query. */
export function pathOf(req: IncomingMessage): string {
  return (req.url ?? "/").split("?", 1)[0] ?? "/";
}
