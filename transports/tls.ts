import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  type ConnectionOptions,
  createSecureContext,
  type SecureContextOptions,
  type TlsOptions as ServerOptions,
  TLSSocket,
} from 'node:tls';
import { TransportOptionError } from './limits.ts';
import type { ConnectionInfo } from './transport.ts';

type Pem = string | Buffer;

/** TLS of a listener. */
export interface TlsOptions {
  /** The certificate of the server with those that lead to its authority, PEM. */
  readonly cert: Pem;
  /** Its private key, PEM. */
  readonly key: Pem;
  readonly passphrase?: string;
  /**
   * The authorities of clients, PEM. If they are given, every client must show a certificate of one of them (mutual
   * TLS), and its subject is the `principal` of the connection. Default: clients show none.
   */
  readonly clientCa?: Pem | readonly Pem[];
  /** Default `'TLSv1.3'`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** TLS of a client. */
export interface TlsClientOptions {
  /** The authorities of servers, PEM. Default: those of Node.js. */
  readonly ca?: Pem | readonly Pem[];
  /** The certificate and the key of the client, PEM, for a server that asks for them (mutual TLS). */
  readonly cert?: Pem;
  readonly key?: Pem;
  readonly passphrase?: string;
  /** The name that the certificate of the server must have. Default: the host that is connected to. */
  readonly servername?: string;
  /** Default `'TLSv1.3'`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** @throws {TransportOptionError} if there is no context for these certificates and keys. */
export function serverTls(tls: TlsOptions, handshakeTimeoutMs: number): ServerOptions {
  const { cert, key, passphrase, clientCa, minVersion = 'TLSv1.3' } = tls;
  if (cert === undefined || key === undefined) throw new TransportOptionError('tls', 'must have a cert and a key');
  const options = {
    ...context({ cert, key, passphrase, ca: clientCa, minVersion }),
    ...(clientCa !== undefined && { requestCert: true, rejectUnauthorized: true }),
  };
  return { ...options, handshakeTimeout: handshakeTimeoutMs };
}

/** @throws {TransportOptionError} if there is no context for these certificates and keys. */
export function clientTls(tls: TlsClientOptions): ConnectionOptions {
  const { ca, cert, key, passphrase, servername, minVersion = 'TLSv1.3' } = tls;
  return {
    ...context({ ca, cert, key, passphrase, minVersion }),
    ...(servername !== undefined && { servername }),
  };
}

interface ContextOptions {
  readonly cert: Pem | undefined;
  readonly key: Pem | undefined;
  readonly passphrase: string | undefined;
  readonly ca: Pem | readonly Pem[] | undefined;
  readonly minVersion: unknown;
}

/** Plain data again, but tried: a wrong key must fail here and not at every handshake. */
function context({ cert, key, passphrase, ca, minVersion }: ContextOptions): SecureContextOptions {
  if (minVersion !== 'TLSv1.2' && minVersion !== 'TLSv1.3') {
    throw new TransportOptionError('tls', `must have the minVersion 'TLSv1.2' or 'TLSv1.3', not ${String(minVersion)}`);
  }
  const options: SecureContextOptions = {
    minVersion,
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
    ...(ca !== undefined && { ca: typeof ca === 'object' && !Buffer.isBuffer(ca) ? [...(ca as readonly Pem[])] : ca }),
  };
  try {
    createSecureContext(options);
    // OpenSSL skips what is no certificate here, and would then trust nobody.
    for (const authority of [options.ca ?? []].flat()) new X509Certificate(authority);
  } catch (error) {
    throw new TransportOptionError('tls', `holds what OpenSSL does not take: ${(error as Error).message}`);
  }
  return options;
}

/**
 * The subject of the certificate that a client has shown and its authority vouches for, as one line: `CN=ann,O=acme`,
 * the attributes in the order of the certificate, special characters escaped as RFC 2253 has it. Undefined if it showed
 * none.
 */
function principalOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  return socket.getPeerX509Certificate()?.subject.replaceAll('\n', ',') || undefined;
}

/** Who is at the other end of a connection. */
export type RemoteEnd = Pick<ConnectionInfo, 'remoteAddress' | 'principal'>;

/** As far as the socket knows. */
export function remoteEndOf(socket: Socket): RemoteEnd {
  const { remoteAddress } = socket;
  const principal = principalOf(socket);
  return {
    ...(remoteAddress === undefined ? {} : { remoteAddress }),
    ...(principal === undefined ? {} : { principal }),
  };
}
