import { DefinitionError, quoted } from '../errors.ts';
import { isJsonObject } from '../json-rpc.ts';
import { announcedTime } from '../server/announcement.ts';

/**
 * What a mounted server sends and receives through: the transport of the official SDKs, which they take for that of one
 * client.
 */
export interface MountTransport {
  readonly sessionId?: string;
  onmessage?: (message: any, extra?: any) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  start(): Promise<void>;
  send(message: any, options?: { readonly relatedRequestId?: string | number }): Promise<void>;
  close(): Promise<void>;
}

/**
 * A server that can be mounted: `McpServer` and `Server` of `@modelcontextprotocol/sdk` (v1) and of
 * `@modelcontextprotocol/server` (v2) are, and whatever else answers MCP on a transport that it is connected to.
 */
export interface MountableServer {
  connect(transport: any): unknown;
  close?(): unknown;
}

/** Makes a server, for one client. */
export type MountFactory = () => MountableServer | Promise<MountableServer>;

/** Where a mounted server comes from, and its bounds: `create`, or `module` and `exportName`. */
export interface MountSpec {
  /** Makes a server on the main thread, where a closure can be called. */
  readonly create?: MountFactory;
  /** The URL of a module that exports such a function: it can be imported by worker threads. */
  readonly module?: string;
  /** Which export that is. Default `'default'`. */
  readonly exportName?: string;
  /**
   * Where its servers run. `'process'` (default): on a worker thread of the node's group, if the system has it and the
   * server is given by a module; else on the main thread. `'isolated'`: each on a thread of its own. `'main'`: on the
   * main thread, where an endless loop stops the node.
   */
  readonly run?: 'process' | 'isolated' | 'main';
  /** How long one request may take. Default: the limit `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  /**
   * Requests of 2026-07-28, which have no session. `'translated'` (default): to a server that knows sessions only;
   * such a server cannot ask its client anything then. `'native'`: they reach the server as they are; for what speaks
   * that revision itself, as `serveStdio` of v2 does: `{ connect: (transport) => serveStdio(create, { transport }) }`.
   * Where there is a principal its clients have no tasks: nobody could keep those of others from them.
   */
  readonly stateless?: 'translated' | 'native';
}

const made: unique symbol = Symbol.for('beamish.mcp.mounted');

/** A server to be mounted that has been checked. */
export interface MountedServer {
  readonly [made]: true;
  readonly name: string;
  readonly create: MountFactory | undefined;
  readonly module: string | undefined;
  readonly exportName: string;
  readonly runPlace: NonNullable<MountSpec['run']>;
  readonly timeoutMs: number | undefined;
  readonly stateless: 'translated' | 'native';
}

const serverName = /^[A-Za-z0-9_.-]{1,64}$/;
const runPlaces: readonly NonNullable<MountSpec['run']>[] = ['process', 'isolated', 'main'];

/**
 * Mounts servers of the official SDKs, or of others, as they are: `mcpNode({ servers: [mountedServer('notes', { create
 * })] })`. Each session gets a server of its own from the factory; without a session, each stream, and over HTTP each
 * request. It runs as a supervised process: what it throws late, a loop on a worker thread, or its death costs the
 * requests of that session, which are answered with errors; the next request makes a new server, which is told what
 * the client has said of itself, its log level and its subscriptions. What the old one kept in memory is lost.
 *
 * Handlers learn who asks, if there is a principal: `extra.authInfo` of v1, `ctx.http.authInfo` of v2, with an empty
 * `token`; `extra` has `subject`, `issuer` and `claims`.
 *
 * `name` names it inside this node: 1 to 64 of letters, digits, `_`, `-` and `.`. Throws `DefinitionError`
 * (`ERR_SERVER`, `ERR_TOOL` for `timeoutMs`) for a specification that cannot be used.
 */
export function mountedServer(name: string, spec: MountSpec): MountedServer {
  const fail = (reason: string): never => {
    throw new DefinitionError('ERR_SERVER', `mounted server ${quoted(String(name))}: ${reason}`);
  };
  if (typeof name !== 'string' || !serverName.test(name)) fail('use a name of 1 to 64 of A-Z a-z 0-9 _ - .');
  if (!isJsonObject(spec)) fail('the second argument must be an object');
  const { create, module, exportName = 'default', run = 'process', timeoutMs, stateless = 'translated' } = spec;
  if ((create === undefined) === (module === undefined)) fail('give create, a function, or module, a URL');
  if (create !== undefined && typeof create !== 'function') fail('create must be a function that makes a server');
  if (module !== undefined && !URL.canParse(module)) fail('module must be a URL, such as new URL(…, import.meta.url)');
  if (typeof exportName !== 'string') fail('exportName must be the name of an export');
  if (!runPlaces.includes(run)) fail(`run must be one of ${runPlaces.join(', ')}`);
  if (run === 'isolated' && module === undefined) fail('only a server given by a module can be isolated');
  if (stateless !== 'translated' && stateless !== 'native') fail("stateless must be 'translated' or 'native'");
  announcedTime(timeoutMs, `mounted server ${quoted(name)}`, 'ERR_TOOL');
  return Object.freeze({
    [made]: true as const,
    name,
    create,
    module,
    exportName,
    runPlace: run,
    timeoutMs,
    stateless,
  });
}

/** Whether a value, an export of some module perhaps, is a server to be mounted. */
export function isMountedServer(value: unknown): value is MountedServer {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, made);
}
