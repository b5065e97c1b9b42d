import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureServer } from "node:http2";
import { createIncomingMessageClass } from "../transports/stream-request.ts";
import type { NodeHost } from "./node-host.ts";
import { listenTo, type OwnServer } from "./own-server.ts";
import { TIMEOUTS } from "./timeouts.ts";
import { TlsConnections } from "./tls-connections.ts";
import type { Upgrades } from "./upgrades.ts";

/** A certificate and its key. */
export interface TlsOptions {
  /** The certificate in PEM, followed by those that it was signed with, if any. */
  readonly cert: string | Buffer;
  /** Its private key in PEM, without a passphrase. */
  readonly key: string | Buffer;
}

/**
 * Requests that may be under way on one connection. A browser that is told no figure keeps to 100, and with so many
 * event streams open would never send another request. More would let one network read hold up everybody else, because
 * Node begins all of its streams in one go.
 */
const STREAMS_PER_CONNECTION = 128;

/**
 * A server of our own over TLS: HTTP/2 for who asks for it, HTTP/1.1 and its WebSockets for all others. (WebSockets
 * over HTTP/2, RFC 8441, are not offered: browsers then use HTTP/1.1.)
 *
 * @throws TypeError where certificate or key can't be read, or do not belong together.
 */
export function createTlsServer(host: NodeHost, upgrades: Upgrades, { cert, key }: TlsOptions): OwnServer {
  mustBelongTogether(cert, key);
  const server = createSecureServer({
    cert,
    key,
    allowHTTP1: true,
    Http1IncomingMessage: createIncomingMessageClass(host.routeOf),
    settings: { maxConcurrentStreams: STREAMS_PER_CONNECTION },
  });
  Object.assign(server, TIMEOUTS);
  listenTo(server, host, upgrades);
  const connections = new TlsConnections(server, host.service.engine, STREAMS_PER_CONNECTION);
  return {
    server,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      connections.close();
      return closed;
    },
    destroy: () => connections.destroy(),
  };
}

function mustBelongTogether(cert: string | Buffer, key: string | Buffer): void {
  const certificate = readPem("`tls.cert` is no certificate in PEM.", () => new X509Certificate(cert));
  const privateKey = readPem("`tls.key` is no private key in PEM without a passphrase.", () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey))
    throw new TypeError("`tls.key` is not the key of `tls.cert`.");
}

function readPem<T>(fault: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new TypeError(fault, { cause });
  }
}
