import { readFile } from "node:fs/promises";
import type { TlsOptions } from "../../server.ts";
import { CliError, EXIT, systemCode } from "../exit.ts";

/** The two files that TLS needs, by the names of their options. */
export interface TlsFiles {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/**
 * Reads certificate and key, where they are named.
 *
 * @throws CliError where only one is named, or a file can't be read.
 */
export async function readTls({ tlsCert, tlsKey }: TlsFiles): Promise<TlsOptions | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new CliError(
      "TLS needs a certificate and its key.",
      "Name both files, with --tls-cert and --tls-key.",
      EXIT.usage,
    );
  const [cert, key] = await Promise.all([readPem("--tls-cert", tlsCert), readPem("--tls-key", tlsKey)]);
  return { cert, key };
}

/** What a server says of a certificate or key that will not do, in the words of the command line. */
export function tlsError(error: TypeError): CliError {
  return new CliError(
    error.message.replaceAll(/`tls\.(cert|key)`/g, "--tls-$1"),
    "Both are files in PEM; the certificate comes first in its file, then those that signed it.",
    EXIT.failed,
    error,
  );
}

async function readPem(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const why = systemCode(error) === "ENOENT" ? "There is no file" : "Nothing can be read from";
    throw new CliError(`${why} ${file} (${option}).`, undefined, EXIT.failed, error);
  }
}
