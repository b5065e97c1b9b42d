/** A host in the one form in which hosts are compared. */
export interface Host {
  /** In lower case, as an A-label, without a dot at its end; an IPv6 address in brackets. */
  readonly name: string;
  /** Empty for 80 and 443, which are left out. */
  readonly port: string;
  /** Whether the text named a port. */
  readonly hasPort: boolean;
}

/** Reads `name` or `name:port`, as `Host`, URLs and options have it; `undefined` if it is neither. */
export function parseHost(text: string): Host | undefined {
  const [, host = "", digits] = /^(\[[^\]]*\]|[^:[\]]+)(?::(\d{0,5}))?$/.exec(text) ?? [];
  if (host === "" || /[\s/?#@\\%]/.test(host)) return undefined;
  const url = `http://${host}`;
  if (!URL.canParse(url)) return undefined;
  const name = new URL(url).hostname.replace(/\.$/, "");
  if (name === "") return undefined;
  const port = digits === undefined || digits === "" ? "" : String(Number(digits));
  return { name, port: port === "80" || port === "443" ? "" : port, hasPort: port !== "" };
}

/**
 * Whether an address belongs to the machine itself: `127.0.0.0/8` and `::1`, the former within IPv6 too. The address is in
 * the form that sockets and URLs give.
 */
export function isLoopbackAddress(address: string): boolean {
  return (
    address === "::1" ||
    /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address) ||
    /^::ffff:7f[\da-f]{2}:[\da-f]{1,4}$/.test(address)
  );
}

/** Whether a host's name always means the machine itself: `localhost`, `*.localhost`, and its addresses. */
export function isLoopbackName(name: string): boolean {
  return (
    name === "localhost" || name.endsWith(".localhost") || isLoopbackAddress(name.replace(/^\[(.*)\]$/, "$1"))
  );
}

/**
 * An origin in the one form in which origins are compared; `undefined` if the text is none. Of `http` and `https` the host
 * is brought into its form and the default port is left out; other schemes (`capacitor://localhost`) stand as they are.
 */
export function parseOrigin(text: string): string | undefined {
  const [, scheme = "", rest = ""] =
    /^([a-z][a-z\d+.-]*):\/\/([^/?#@\\\s]+)$/i.exec(text.replace(/\/$/, "")) ?? [];
  const known = scheme.toLowerCase();
  if (known !== "http" && known !== "https")
    return scheme === "" ? undefined : `${known}://${rest.toLowerCase()}`;
  const host = parseHost(rest);
  if (!host) return undefined;
  const [, written = ""] = /:(\d+)$/.exec(rest) ?? [];
  const port = written === "" ? "" : String(Number(written));
  const isDefault = port === "" || port === (known === "http" ? "80" : "443");
  return `${known}://${host.name}${isDefault ? "" : `:${port}`}`;
}

/** Schemes whose host is one site's or one extension's. Pages of any other scheme share an origin: `capacitor://localhost`. */
const UNSHARED: ReadonlySet<string> = new Set([
  "http",
  "https",
  "chrome-extension",
  "moz-extension",
  "safari-web-extension",
]);

/** Whether all apps of a kind share this origin, so that cookies would be those of another app's user. */
export function isSharedOrigin(origin: string): boolean {
  return !UNSHARED.has(origin.slice(0, origin.indexOf("://")));
}
