import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, resolve, sep } from "node:path";
import { type Handler, pathOf } from "./handler.ts";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Serves folders under path prefixes, the longest prefix first; `…/` means its `index.html`. Files are read at
 * each request, so that an edit shows at the next reload.
 */
export function serveFiles(folders: Readonly<Record<string, string>>): Handler {
  const mounts = Object.entries(folders)
    .map(([prefix, folder]) => ({ prefix, folder: resolve(folder) }))
    .sort((a, b) => b.prefix.length - a.prefix.length);

  return (req, res, next) => {
    if (req.method !== "GET" && req.method !== "HEAD") return next();
    const path = pathOf(req);
    // Without its slash a page's relative links would point one folder too high.
    const bare = mounts.find(({ prefix }) => prefix === `${path}/`);
    if (bare !== undefined) {
      res.writeHead(302, { location: bare.prefix }).end();
      return;
    }
    const mount = mounts.find(({ prefix }) => path.startsWith(prefix));
    const file = mount && inside(mount.folder, path.slice(mount.prefix.length));
    if (file === undefined) return next();
    void send(file, req, res, next);
  };
}

/** The file that a path names within its folder; `undefined` for whatever would lead out of it. */
function inside(folder: string, path: string): string | undefined {
  const name = decode(path === "" || path.endsWith("/") ? `${path}index.html` : path);
  if (name === undefined || /[\0\\]/.test(name) || !(extname(name) in TYPES)) return undefined;
  const file = join(folder, name);
  return file.startsWith(folder + sep) ? file : undefined;
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

async function send(
  file: string,
  req: IncomingMessage,
  res: ServerResponse,
  next: () => void,
): Promise<void> {
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch {
    return next();
  }
  res.writeHead(200, {
    "content-type": TYPES[extname(file)],
    "content-length": content.length,
    "cache-control": "no-cache",
    "content-security-policy": contentPolicy(content, extname(file)),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
  res.end(req.method === "HEAD" ? undefined : content);
}

/**
 * Nothing but what the site itself serves. An import map can only stand inline, so the policy names its hash:
 * any other inline script, which is what an injected message would be, does not run.
 */
function contentPolicy(content: Buffer, extension: string): string {
  const maps =
    extension === ".html"
      ? [...content.toString().matchAll(/<script type="importmap">([^]*?)<\/script>/g)]
      : [];
  const hashes = maps.map(
    (map) =>
      `'sha256-${createHash("sha256")
        .update(map[1] ?? "")
        .digest("base64")}'`,
  );
  return [
    "default-src 'self'",
    ["script-src 'self'", ...hashes].join(" "),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
