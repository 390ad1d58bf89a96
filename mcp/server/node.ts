import { type ChildSpec, child, type Name, supervisor } from '../../runtime/index.ts';
import type { Transport } from '../../transports/transport.ts';
import { type AuthorizationSpec, checkedAuthorization } from '../authorization/resource-server.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { type McpLimits, mcpLimits } from '../limits.ts';
import { Forward } from '../mount/forward.ts';
import { Mount, type MountStart } from '../mount/mount.ts';
import type { MountBounds } from '../mount/mount-leg.ts';
import { forwardSupOf, mountSupOf } from '../mount/mount-names.ts';
import { isMountedServer, type MountedServer } from '../mount/mounted.ts';
import { Batch } from './batch.ts';
import { Claims } from './claims.ts';
import { isMcpServer, type McpServer } from './definition.ts';
import { endpointSpec } from './endpoint.ts';
import { nodeNames } from './node-names.ts';
import { Registry } from './registry.ts';
import { Request } from './request.ts';
import { checkedStateKeys, newStateKey } from './request-state.ts';
import { Session } from './session.ts';
import { SessionManager } from './session-manager.ts';
import { SessionStore } from './session-store.ts';
import { SubscriptionHub } from './subscription-hub.ts';
import { Task } from './task.ts';
import { TaskManager } from './task-manager.ts';
import { TokenVerification } from './token-verification.ts';

/** A transport, the server of the node that answers on it, and who may use it. */
export interface Served {
  readonly transport: Transport;
  /** May be left out if the node has one server. */
  readonly server?: string;
  /**
   * Every HTTP request must bring a token (MCP, Authorization): without it 401, with one that is not enough 403. Only
   * for transports over HTTP: whoever has the streams of a program (stdio) is who has started it. On a transport of
   * streams every connection ends at once. Default: whoever reaches the transport may use it.
   */
  readonly authorization?: AuthorizationSpec;
}

/** Which servers a node serves, and over which transports. */
export interface McpNodeSpec {
  /** At least one; their names must differ. Those of others are mounted, see `mountedServer`. */
  readonly servers: readonly (McpServer | MountedServer)[];
  /** A node with several servers names the one that each transport serves. */
  readonly transports: readonly (Transport | Served)[];
  /**
   * The group of worker threads on which the code of servers runs, if the system has it (`startSystem({ threads })`)
   * and the module of the server is known (`ServerSpec.module`). Default `'cpu'`. Else, and for all else, the thread of
   * the node: so a tool that never yields stops the node only where there is no such group.
   */
  readonly threads?: string;
  /**
   * The name of a `computePool` (`beamish/compute`) of the system, for tools with `run: 'compute'`; best one of the
   * node's own. Default: none, and such tools are answered with an error.
   */
  readonly computePool?: Name;
  /** Bounds that differ from `MCP_LIMITS`. */
  readonly limits?: Partial<McpLimits>;
  /**
   * Keys that seal what stateless clients carry from one request to the next when they are asked for input
   * (`ctx.input`): base64 of 32 random bytes each. The first seals, each opens: to change keys, put the new one first
   * and take the old one out later. Nodes that serve the same clients share them. Default: a key of this node's own, so
   * that what was asked before a restart must be asked again.
   */
  readonly stateKeys?: readonly string[];
}

/** A tier absorbs this many crashes within this time before it gives up and takes the tiers after it along. */
const tier = { strategy: 'one_for_one', intensity: 10, periodMs: 10_000 } as const;

/**
 * An MCP node: the specification of a supervisor, to be a child of a system. Its tiers start in order and stop in
 * reverse, so that on a stop the transports finish what is in flight while all that they need still runs. A tier that
 * gives up restarts those after it (`rest_for_one`).
 *
 * `id` begins the names of the node's processes. Throws `DefinitionError`: `ERR_SERVER` if a server is missing,
 * ambiguous or not made by `mcpServer`, or a key is none, `ERR_LIMIT` for a wrong limit, `ERR_AUTHORIZATION` for an
 * authorization. A transport that cannot listen
 * makes the start of the node fail.
 */
export function mcpNode(id: string, spec: McpNodeSpec): ChildSpec {
  const { servers, transports, threads = 'cpu', computePool, limits: overrides, stateKeys = [newStateKey()] } = spec;
  const limits = mcpLimits(overrides);
  checkServers(id, servers);
  const keys = checkedStateKeys(stateKeys, `node ${quoted(id)}`);
  const names = nodeNames(id);
  const shared = { node: id, limits };
  return supervisor(id, { strategy: 'rest_for_one', intensity: 3, periodMs: 60_000 }, [
    supervisor('registry_sup', tier, [
      child(Registry, { ...shared, servers: servers.filter(isMcpServer) }, { id: 'registry', name: names.registry }),
    ]),
    supervisor('infrastructure_sup', tier, [
      child(SessionStore, { node: id }, { id: 'session_store', name: names.sessionStore }),
      child(SessionManager, shared, { id: 'session_manager', name: names.sessionManager }),
      child(TaskManager, shared, { id: 'task_manager', name: names.taskManager }),
      child(SubscriptionHub, shared, { id: 'subscription_hub', name: names.subscriptionHub }),
    ]),
    supervisor('server_sup', tier, [
      dynamic('session_sup', names.sessionSup, {
        ...child(Session, shared as never, { restart: 'temporary' }),
        id: 'session',
      }),
      dynamic('task_sup', names.taskSup, {
        ...child(Task, { ...shared, stateKeys: keys } as never, { restart: 'temporary' }),
        id: 'task',
      }),
      dynamic('request_sup', names.requestSup, {
        // Tools are the user's code: what they leave behind must find its culprit.
        ...child(Request, { ...shared, threads, computePool, claims: new Claims().memory, stateKeys: keys } as never, {
          restart: 'temporary',
          attribute: true,
        }),
        id: 'request',
      }),
      dynamic('verification_sup', names.verificationSup, {
        // The hook is the user's code too.
        ...child(TokenVerification, shared as never, { restart: 'temporary', attribute: true }),
        id: 'verification',
      }),
      dynamic('batch_sup', names.batchSup, { ...child(Batch, {} as never, { restart: 'temporary' }), id: 'batch' }),
      ...mountSupervisors(id, { ...shared, threads }, servers.filter(isMountedServer)),
    ]),
    supervisor(
      'transport_sup',
      tier,
      transports.map((each) => {
        const { transport, server, authorization: spec } = servedBy(id, each, servers);
        const mounted = mountBounds(servers.find(({ name }) => name === server)!, limits);
        const where = `node ${quoted(id)}, transport ${quoted(transport.id)}`;
        const authorization = spec === undefined ? undefined : checkedAuthorization(spec, where);
        const config = { ...shared, server, transport: transport.id, authorization, ...mounted };
        return transport.childSpec(endpointSpec(config));
      }),
    ),
  ]);
}

function dynamic(id: string, name: string, template: ChildSpec): ChildSpec {
  return supervisor(id, { strategy: 'simple_one_for_one', name }, [template]);
}

/** Only nodes that mount servers have them. */
function mountSupervisors(
  node: string,
  shared: Omit<MountStart, 'servers'>,
  mounted: readonly MountedServer[],
): ChildSpec[] {
  if (mounted.length === 0) return [];
  const start: MountStart = { ...shared, servers: new Map(mounted.map((server) => [server.name, server])) };
  return [
    dynamic('mount_sup', mountSupOf(node), {
      ...child(Mount, start as never, { restart: 'temporary' }),
      id: 'mount',
    }),
    dynamic('forward_sup', forwardSupOf(node), {
      ...child(Forward, { node, limits: shared.limits } as never, { restart: 'temporary' }),
      id: 'forward',
    }),
  ];
}

function mountBounds(
  server: McpServer | MountedServer,
  { requestTimeoutMs, requestTimeoutMaxMs }: McpLimits,
): { readonly mounted?: MountBounds } {
  if (!isMountedServer(server)) return {};
  const { timeoutMs = requestTimeoutMs, stateless, name } = server;
  if (timeoutMs <= requestTimeoutMaxMs) return { mounted: { timeoutMs, stateless } };
  const reason = `timeoutMs is ${timeoutMs}, the limit requestTimeoutMaxMs is ${requestTimeoutMaxMs}`;
  throw new DefinitionError('ERR_TOOL', `mounted server ${quoted(name)}: ${reason}`);
}

function checkServers(node: string, servers: McpNodeSpec['servers']): void {
  if (!Array.isArray(servers) || servers.length === 0) {
    throw new DefinitionError(
      'ERR_SERVER',
      `node ${quoted(node)}: servers must be an array of at least one mcpServer(…)`,
    );
  }
  const names = new Set<string>();
  for (const server of servers) {
    if (!isMcpServer(server) && !isMountedServer(server)) {
      const wanted = 'each of servers must be made by mcpServer(…) or mountedServer(…)';
      throw new DefinitionError('ERR_SERVER', `node ${quoted(node)}: ${wanted}`);
    }
    if (names.has(server.name)) {
      throw new DefinitionError('ERR_SERVER', `node ${quoted(node)}: two servers are called ${quoted(server.name)}`);
    }
    names.add(server.name);
  }
}

function servedBy(
  node: string,
  given: Transport | Served,
  servers: McpNodeSpec['servers'],
): Served & { readonly server: string } {
  const [only, another] = servers as [{ readonly name: string }, unknown?];
  const each: Served = 'transport' in given ? given : { transport: given };
  const { server } = each;
  if (server === undefined) {
    if (another === undefined) return { ...each, server: only.name };
    const example = `{ transport, server: ${quoted(only.name)} }`;
    const wanted = `say which one transport ${quoted(each.transport.id)} serves, such as ${example}`;
    throw new DefinitionError('ERR_SERVER', `node ${quoted(node)} has several servers: ${wanted}`);
  }
  if (servers.some(({ name }) => name === server)) return { ...each, server };
  const wrong = `transport ${quoted(each.transport.id)} serves ${quoted(server)}`;
  throw new DefinitionError('ERR_SERVER', `node ${quoted(node)}: ${wrong}, which is none of its servers`);
}
