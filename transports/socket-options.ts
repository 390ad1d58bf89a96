import { isAbsolute } from 'node:path';
import type { ListenAt } from './bind.ts';
import { TransportOptionError } from './limits.ts';

const PORT_MAX = 65_535;
/** Bytes of the path of a Unix socket (`sun_path` on Linux, with its end). */
const PATH_BYTES_MAX = 107;

export function checkPort(port: unknown): void {
  if (typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= PORT_MAX) return;
  throw new TransportOptionError('port', `must be an integer from 0 to ${PORT_MAX}, not ${String(port)}`);
}

export function checkHost(host: unknown): void {
  if (typeof host === 'string' && host !== '') return;
  throw new TransportOptionError('host', `must be an address or a name, not ${JSON.stringify(host)}`);
}

/** Either the path of a Unix socket or a port, and a host or the machine itself. */
export function socketAddress(options: {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
}): ListenAt {
  const { host = '127.0.0.1', port, path } = options;
  if (path === undefined) {
    if (port === undefined) throw new TransportOptionError('port', 'or path must be given');
    checkPort(port);
    checkHost(host);
    return { host, port };
  }
  if (port !== undefined || options.host !== undefined) {
    throw new TransportOptionError('path', 'is a Unix socket, which has no host and no port');
  }
  if (typeof path !== 'string' || !isAbsolute(path) || path.includes('\0')) {
    throw new TransportOptionError('path', `must be an absolute path, not ${JSON.stringify(path)}`);
  }
  if (process.platform !== 'win32' && Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw new TransportOptionError('path', `must have at most ${PATH_BYTES_MAX} bytes, not ${Buffer.byteLength(path)}`);
  }
  return { path };
}
