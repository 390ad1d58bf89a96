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
  readonly sockets: ServeSockets;
}

/** What to listen on; undefined is what is not asked for. */
export interface ServeSockets {
  readonly host: string;
  readonly http: { readonly port: number; readonly http2: boolean } | undefined;
  /** A port, or the path of a Unix socket. */
  readonly tcp: number | string | undefined;
  readonly webSocket: number | undefined;
  /** The files of a certificate and its key, for all of them. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

export const usage: string = `Usage: beamish serve <module> [options]

Serves the MCP server that <module> exports by default (see mcpServer), under a supervision tree.

Options:
  --port N     serve Streamable HTTP on this port; 0 takes a free one (default ${DEFAULT_PORT}, or BEAMISH_PORT)
  --host H     the address to listen on (default ${DEFAULT_HOST}, or BEAMISH_HOST)
  --http2      speak HTTP/2 too, on the same port (without TLS to clients that know it beforehand)
  --tcp P      serve lines of JSON on this TCP port, 0 for a free one, or on a Unix socket: /path/of/it
  --ws N       serve WebSocket on this port; 0 takes a free one
  --tls-cert F, --tls-key F
               the certificate and its key, PEM files: https with HTTP/1.1 and HTTP/2, wss, TCP with TLS
  --stdio      serve standard input and output
               with --stdio, --tcp or --ws, HTTP is served too only if --port is given
  --help       show this
  --version    show the version

SIGINT and SIGTERM stop the node in order: no new connections, requests in flight finish, exit code 0.
Log level: BEAMISH_LOG (trace, debug, info, warn, error, fatal, silent; default info), to standard error.`;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the command line; never throws. */
export function readCommand(args: readonly string[], env: Environment): Command {
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
  const sockets = readSockets(values, env);
  return typeof sockets === 'string'
    ? wrong(sockets)
    : { kind: 'serve', module, stdio: values.stdio === true, sockets };
}

/** What to listen on, or what is wrong with it. */
function readSockets(values: Values, env: Environment): ServeSockets | string {
  const { http2 = false, 'tls-cert': cert, 'tls-key': key, tcp: tcpText, ws: wsText } = values;
  const without = values.stdio === true || tcpText !== undefined || wsText !== undefined;
  const portText = values.port ?? (without ? undefined : (env['BEAMISH_PORT'] ?? String(DEFAULT_PORT)));
  if ((cert === undefined) !== (key === undefined)) return '--tls-cert and --tls-key go together';
  const tls = cert === undefined || key === undefined ? undefined : { cert, key };
  if (portText === undefined && http2) return '--http2 is about HTTP: beside --stdio, --tcp or --ws it needs --port';
  if ([portText, tcpText, wsText].every((text) => text === undefined) && tls !== undefined) {
    return '--tls-cert and --tls-key are about sockets: beside --stdio they need --port, --tcp or --ws';
  }
  const numbers = `a whole number from 0 to ${PORT_MAX}`;
  const port = readPort(portText);
  const source = values.port === undefined ? 'BEAMISH_PORT' : '--port';
  if (port === null) return `${source} must be ${numbers}, not '${portText}'`;
  const webSocket = readPort(wsText);
  if (webSocket === null) return `--ws must be ${numbers}, not '${wsText}'`;
  const tcp = tcpText?.startsWith('/') === true ? tcpText : readPort(tcpText);
  if (tcp === null)
    return `--tcp must be ${numbers}, or the path of a Unix socket that begins with /, not '${tcpText}'`;
  const host = values.host ?? env['BEAMISH_HOST'] ?? DEFAULT_HOST;
  return {
    host,
    http: port === undefined ? undefined : { port, http2: http2 || tls !== undefined },
    tcp,
    webSocket,
    tls,
  };
}

interface Values {
  port?: string;
  host?: string;
  http2?: boolean;
  tcp?: string;
  ws?: string;
  'tls-cert'?: string;
  'tls-key'?: string;
  stdio?: boolean;
  help?: boolean;
  version?: boolean;
}

function parse(args: readonly string[]): { values: Values; positionals: string[] } {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      http2: { type: 'boolean' },
      tcp: { type: 'string' },
      ws: { type: 'string' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      stdio: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
}

/** Null if it is none; undefined if nothing was said. */
function readPort(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  return /^\d+$/.test(text) && port <= PORT_MAX ? port : null;
}

function wrong(message: string): Command {
  return { kind: 'wrong', message };
}
