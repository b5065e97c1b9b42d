/** Does this `Accept-Encoding` header take gzip (RFC 9110, section 12.5.3)? */
export function acceptsGzip(header: string | undefined): boolean {
  if (header === undefined) return false;
  let any = false;
  for (const one of header.toLowerCase().split(",")) {
    const [name = "", ...parameters] = one.split(";").map((part) => part.trim());
    const taken = !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    if (name === "gzip" || name === "x-gzip") return taken;
    if (name === "*") any = taken;
  }
  return any;
}
