import { parseArgs } from 'node:util';
import { DEFAULT_HOST, DEFAULT_PORT, PORT_MAX } from './limits.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | ServeCommand
  | { readonly kind: 'wrong'; readonly message: string };

export interface ServeCommand {
  readonly kind: 'serve';
  readonly module: string;
  readonly stdio: boolean;
  /** Undefined if HTTP is not asked for. */
  readonly http: ServeHttp | undefined;
}

export interface ServeHttp {
  readonly host: string;
  readonly port: number;
  /** Whether HTTP/2 is spoken beside HTTP/1.1. */
  readonly http2: boolean;
  /** The files of a certificate and its key. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

export const usage: string = `Usage: beamish serve <module> [options]

Serves the MCP server that <module> exports by default (see mcpServer), under a supervision tree.

Options:
  --port N     serve Streamable HTTP on this port; 0 takes a free one (default ${DEFAULT_PORT}, or BEAMISH_PORT)
  --host H     the address to listen on (default ${DEFAULT_HOST}, or BEAMISH_HOST)
  --http2      speak HTTP/2 too, on the same port (without TLS to clients that know it beforehand)
  --tls-cert F, --tls-key F
               the certificate and its key, PEM files: serve https, HTTP/1.1 and HTTP/2
  --stdio      serve standard input and output; HTTP too only if --port is given
  --help       show this
  --version    show the version

SIGINT and SIGTERM stop the node in order: no new connections, requests in flight finish, exit code 0.
Log level: BEAMISH_LOG (trace, debug, info, warn, error, fatal, silent; default info), to standard error.`;

/** Reads the command line; never throws. */
export function readCommand(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Command {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return wrong((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { kind: 'help' };
  if (values.version === true) return { kind: 'version' };
  const [command, module, ...rest] = positionals;
  if (command === undefined) return { kind: 'help' };
  if (command !== 'serve') return wrong(`unknown command '${command}'`);
  if (module === undefined) return wrong('serve needs the module of a server, such as ./server.js');
  if (rest.length > 0) return wrong(`unexpected argument '${rest[0]}'`);
  const stdio = values.stdio === true;
  const portText = values.port ?? (stdio ? undefined : (env['BEAMISH_PORT'] ?? String(DEFAULT_PORT)));
  const { http2 = false, 'tls-cert': cert, 'tls-key': key } = values;
  if ((cert === undefined) !== (key === undefined)) return wrong('--tls-cert and --tls-key go together');
  const tls = cert === undefined || key === undefined ? undefined : { cert, key };
  if (portText === undefined && (http2 || tls !== undefined)) {
    return wrong('--http2, --tls-cert and --tls-key are about HTTP: beside --stdio they need --port');
  }
  if (portText === undefined) return { kind: 'serve', module, stdio, http: undefined };
  const port = readPort(portText);
  if (port === undefined) {
    const source = values.port === undefined ? 'BEAMISH_PORT' : '--port';
    return wrong(`${source} must be a whole number from 0 to ${PORT_MAX}, not '${portText}'`);
  }
  const host = values.host ?? env['BEAMISH_HOST'] ?? DEFAULT_HOST;
  return { kind: 'serve', module, stdio, http: { host, port, http2: http2 || tls !== undefined, tls } };
}

function parse(args: readonly string[]): {
  values: {
    port?: string;
    host?: string;
    http2?: boolean;
    'tls-cert'?: string;
    'tls-key'?: string;
    stdio?: boolean;
    help?: boolean;
    version?: boolean;
  };
  positionals: string[];
} {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      http2: { type: 'boolean' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      stdio: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
}

function readPort(text: string): number | undefined {
  const port = Number(text);
  return /^\d+$/.test(text) && port <= PORT_MAX ? port : undefined;
}

function wrong(message: string): Command {
  return { kind: 'wrong', message };
}
