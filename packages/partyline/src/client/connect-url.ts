/**
 * Returns the http(s) URL of a server's `/connect`. The query is kept, the fragment is dropped. A relative URL is
 * resolved as links of the page are.
 *
 * @throws TypeError if it is not an http(s) or ws(s) URL, or has credentials, which browsers refuse.
 */
export function connectUrl(url: string | URL): string {
  const { href } = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
  // `localhost:8080` has the scheme `localhost:`.
  if (!/^(http|ws)s?:..[^/@]+\//.test(href))
    throw new TypeError(`URL ${href.split("@").pop()}: write it like http://localhost:8080, no password.`);
  return href.replace(/^ws/, "http").replace(/\/?(\?[^#]*)?(#.*)?$/, "/connect$1");
}
