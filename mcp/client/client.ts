import { randomInt } from 'node:crypto';
import { type ChildSpec, child, type Dest, name as named, supervisor } from '../../runtime/index.ts';
import type { ClientTransport } from '../../transports/client-transport.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import type { Implementation } from '../revision/contract.ts';
import { Answerer, type AnswererCommon } from './answerer.ts';
import type { Authorization } from './authorization.ts';
import { type ClientHandlers, declaredCapabilities } from './callbacks.ts';
import { ClientConnection } from './connection.ts';
import type { ConnectionStart } from './connection-state.ts';
import { type ClientLimits, clientLimits } from './limits.ts';
import { Listener } from './listener.ts';
import { eraOf, type Negotiation, SPOKEN_VERSIONS } from './negotiation.ts';

/** What `mcpClient` is told: how the server is reached, what the client offers it, and its bounds. */
export interface McpClientSpec {
  /** How the server is reached: `childProcess`, `httpClient` or `memoryClient` of `beamish/transports/client`. */
  readonly transport: ClientTransport;
  /** What the client says of itself. Default: `{ name: 'beamish', version: '0.1.0' }`. */
  readonly info?: Implementation;
  /**
   * Which revision of MCP: `'auto'` (default) asks the server with server/discover and falls back to a session,
   * `'legacy'` opens a session at once, `{ pin: '2025-06-18' }` speaks that revision or none.
   */
  readonly negotiation?: Negotiation;
  /** What it does for the server; what is given is declared as a capability. */
  readonly handlers?: ClientHandlers;
  /** Capabilities to declare beside those of the handlers. */
  readonly capabilities?: JsonObject;
  /**
   * A process that gets the info messages `mcp_notification` (`ServerNotification`) and `mcp_state` (`ClientStatus`
   * with `client`). Default: nobody.
   */
  readonly notify?: Dest;
  /** Over HTTP: the process that keeps the tokens, such as `oauthTokens` of `beamish/mcp/client/oauth`, by name. */
  readonly authorization?: Authorization;
  /** Bounds that differ from `CLIENT_LIMITS`. */
  readonly limits?: Partial<ClientLimits>;
  /** From 0 up to 1: the jitter of the waits between attempts to connect. Default: `node:crypto`. */
  readonly chance?: () => number;
}

const precision = 2 ** 32;

function cryptoChance(): number {
  return randomInt(precision) / precision;
}

/**
 * An MCP client: the specification of a supervisor, to be a child of a system. Its connection is registered as `name`;
 * `clientOf(ctx, name)` is the handle to it. A server that cannot be reached does not fail the start: the client goes
 * on trying, 1 to 30 s apart.
 *
 * Throws `DefinitionError`: `ERR_CLIENT` for a wrong name, transport, negotiation or handler, `ERR_LIMIT` for a wrong
 * limit.
 */
export function mcpClient(name: string, spec: McpClientSpec): ChildSpec {
  check(name, spec);
  const { transport, negotiation = 'auto', handlers = {}, notify, chance = cryptoChance } = spec;
  const limits = clientLimits(spec.limits);
  const carrierSup = named(`${name}_carriers`);
  const olderSup = named(`${name}_older_carriers`);
  const answererSup = named(`${name}_answerers`);
  const listenerSup = named(`${name}_listeners`);
  const start: ConnectionStart = {
    name,
    kind: transport.kind,
    target: transport.target,
    carrierSup,
    olderSup: transport.older === undefined ? undefined : olderSup,
    answererSup,
    listenerSup,
    negotiation,
    identity: {
      info: spec.info ?? { name: 'beamish', version: '0.1.0' },
      capabilities: declaredCapabilities(handlers, spec.capabilities),
    },
    handlers,
    notify,
    authorization: spec.authorization,
    limits,
    chance,
  };
  const common: AnswererCommon = { client: name, handlers };
  const dynamic = (id: string, registered: string, template: ChildSpec): ChildSpec =>
    supervisor(id, { strategy: 'simple_one_for_one', name: registered }, [template]);
  // What users wrote runs there: what it leaves behind must find its culprit.
  const users = { restart: 'temporary', attribute: true } as const;
  return supervisor(name, { strategy: 'rest_for_one', intensity: 5, periodMs: 60_000 }, [
    dynamic('answerers', answererSup, child(Answerer, common as never, { id: 'answerer', ...users })),
    dynamic('listeners', listenerSup, child(Listener, { client: name } as never, { id: 'listener', ...users })),
    dynamic('carriers', carrierSup, transport.carrier),
    ...(transport.older === undefined ? [] : [dynamic('older_carriers', olderSup, transport.older.carrier)]),
    child(ClientConnection, start, { id: 'connection', name, shutdown: limits.endSessionMs + 1_000 }),
  ]);
}

function check(name: unknown, spec: McpClientSpec): void {
  if (typeof name !== 'string' || name === '') throw wrong('the name of a client must be a text that is not empty');
  const where = `client ${quoted(name)}`;
  const { transport, negotiation, handlers = {} } = spec ?? {};
  if (!isJsonObject(transport) || !['stream', 'http'].includes(transport.kind)) {
    throw wrong(`${where}: transport must be made by childProcess, httpClient or memoryClient`);
  }
  const pin = typeof negotiation === 'object' ? negotiation?.pin : undefined;
  if (
    negotiation !== undefined &&
    !['auto', 'legacy'].includes(negotiation as string) &&
    eraOf(String(pin)) === undefined
  ) {
    const versions = SPOKEN_VERSIONS.join(', ');
    throw wrong(`${where}: negotiation must be 'auto', 'legacy' or { pin } with one of ${versions}`);
  }
  for (const [key, handler] of Object.entries(handlers)) {
    if (!['roots', 'sampling', 'elicitation', 'notification'].includes(key)) {
      throw wrong(`${where}: no such handler: ${quoted(key)}; there are roots, sampling, elicitation, notification`);
    }
    if (typeof handler !== 'function') throw wrong(`${where}: handlers.${key} must be a function`);
  }
}

function wrong(message: string): DefinitionError {
  return new DefinitionError('ERR_CLIENT', message);
}
