/**
 * Returns the http(s) URL of a server's `/connect`. The query is kept, the fragment is dropped. A relative URL is
 * resolved as links of the page are; a worker that was made from a blob uses the URL of the page that made it.
 *
 * @throws TypeError if it is not an http(s) or ws(s) URL, or has credentials, which browsers refuse.
 */
export function connectUrl(url: string | URL): string {
  const text = String(url);
  const { href } = new URL(
    text,
    globalThis.document?.baseURI ?? globalThis.location?.href.replace("blob:", ""),
  );
  // A host with a port is read as a scheme or as a path.
  if (!/^(http|ws)s?:..[^/@]+\//.test(href) || /^[^/?#]*:\d/.test(text))
    throw new TypeError(
      `URL ${text.split("@").pop()}: write it like http://localhost:8080, without a password.`,
    );
  return href.replace(/^ws/, "http").replace(/\/?(\?[^#]*)?(#.*)?$/, "/connect$1");
}
