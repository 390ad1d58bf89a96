import { rmSync } from 'node:fs';
import { connect, type ListenOptions, type Server } from 'node:net';
import type { Context } from '../runtime/index.ts';
import { lastingTable } from './admission.ts';
import { LISTEN_BACKLOG } from './limits.ts';
import { reusePortProblem } from './reuse-port.ts';

/** Where to listen: an address of the network, or the path of a Unix socket. */
export type ListenAt =
  | {
      readonly host: string;
      readonly port: number;
      /** Whether other listeners may share the port. */
      readonly reusePort?: boolean;
    }
  | { readonly path: string };

/** Where a server is bound, as the operating system says. */
export interface Bound {
  /** Of a Unix socket. */
  readonly path?: string;
  readonly host: string;
  readonly port: number;
  /** `host:port` as it stands in a URL. */
  readonly authority: string;
}

/** Why a listener could not start, or ended: its exit reason. */
export interface ListenFailure {
  readonly listen: {
    /** As the operating system has it: `'EADDRINUSE'`, `'EACCES'` …; or `'ERR_REUSE_PORT'`. */
    readonly code: string;
    readonly message: string;
    readonly host?: string;
    readonly port?: number;
    readonly path?: string;
  };
}

/** Listens. A listener of port 0 that was restarted takes the port it had: its clients know no other. */
export async function bind(server: Server, at: ListenAt, id: string, ctx: Context): Promise<Bound> {
  if ('path' in at) {
    await listenAtPath(server, at.path);
    return { path: at.path, host: '', port: 0, authority: '' };
  }
  const bound = lastingTable<'port', number>(ctx, `${id}_address`);
  const port = at.port === 0 ? (bound.get('port') ?? 0) : at.port;
  await listening(server, { host: at.host, port, ...(at.reusePort === true && shared()) });
  const found = server.address();
  if (found === null || typeof found === 'string') throw new Error('a server that listens on a port has an address');
  bound.set('port', found.port);
  const host = found.family === 'IPv6' ? `[${found.address}]` : found.address;
  return { host: found.address, port: found.port, authority: `${host}:${found.port}` };
}

export function listenFailure(error: NodeJS.ErrnoException & { readonly port?: number }, at: ListenAt): ListenFailure {
  const { code = 'ERR_LISTEN', message } = error;
  if ('path' in at) return { listen: { code, path: at.path, message } };
  return { listen: { code, host: at.host, port: error.port ?? at.port, message } };
}

/** The socket file of a program that was killed is still there, and nobody listens on it: it is put out of the way. */
async function listenAtPath(server: Server, path: string): Promise<void> {
  try {
    await listening(server, { path });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || !(await isAbandoned(path))) throw error;
    rmSync(path, { force: true });
    await listening(server, { path });
  }
}

function shared(): { readonly reusePort: true } {
  const problem = reusePortProblem(process.versions.node, process.platform);
  if (problem !== undefined) throw Object.assign(new Error(problem), { code: 'ERR_REUSE_PORT' });
  return { reusePort: true };
}

function listening(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, backlog: LISTEN_BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}
