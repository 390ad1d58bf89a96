import {
  type Call,
  type CallResult,
  type ChildSpec,
  child,
  describeExit,
  type ExitReason,
  type GenServer,
  genServer,
  type Messaging,
  type Name,
  name,
  noreply,
  reply,
  supervisor,
} from '../runtime/index.ts';
import { Admission } from './admission.ts';
import { type ConnectionStart, connectionServer } from './connection.ts';
import { loadEndpoint } from './endpoint.ts';
import { DRAIN_MARGIN_MS, resolveLimits, TRANSPORT_LIMITS, type TransportLimits } from './limits.ts';
import { MemoryLink } from './memory-link.ts';
import type { ConnectionMessages } from './peer.ts';
import type { EndpointSpec, Transport } from './transport.ts';

/** Options of `memory`: its id, and any bound of `TransportLimits` (defaults in `TRANSPORT_LIMITS`). */
export interface MemoryOptions extends Partial<TransportLimits> {
  /** Default `'memory'`. */
  readonly id?: string;
}

/** The client's end of a connection in memory. */
export interface MemoryClient {
  /**
   * Sends a message: an object is serialised, a text goes as it is. Returns false if the connection has ended.
   *
   * @throws {MemoryQueueError} if the server has so many exchanges open that as many messages wait already.
   */
  send(message: object | string): boolean;
  /** What the server sends, parsed; ends with the connection. Iterate once: messages are handed out, not kept. */
  readonly messages: AsyncIterableIterator<object>;
  /** No more will be sent: the server finishes what is open, then the connection ends. */
  end(): void;
  /** Leaves at once: open exchanges are aborted. */
  close(): void;
  /** The exit reason of the connection process, when it has ended. */
  readonly closed: Promise<ExitReason>;
}

/** `connectMemory` found no transport of that id, or it has as many connections as it takes. */
export class MemoryConnectError extends Error {
  override readonly name = 'MemoryConnectError';
  readonly code: 'ERR_MEMORY_NOT_RUNNING' | 'ERR_MEMORY_TOO_MANY_CONNECTIONS' | 'ERR_MEMORY_START';

  constructor(code: MemoryConnectError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The template's own argument, and what `startChild` adds. */
type MemoryStart = readonly [common: ConnectionStart, link: MemoryLink];

/** The process of one connection in memory. Internal: started by `connectMemory`. */
export const MemoryConnection: GenServer<ConnectionMessages, any> = genServer(
  import.meta,
  'MemoryConnection',
  connectionServer<MemoryStart>(
    ([{ limits }, link]) => link.bind(limits),
    ([common]) => common,
  ),
);

interface ListenerProtocol {
  readonly call: { readonly connect: Call<MemoryLink, ConnectResult> };
}
type ConnectResult = 'ok' | 'full' | { readonly error: ExitReason };

interface ListenerStart {
  readonly id: string;
  readonly endpoint: EndpointSpec;
  readonly connectionsMax: number;
}

/** Admits connections. Internal: `connectMemory` calls it. */
export const MemoryListener: GenServer<ListenerProtocol, ListenerStart> = genServer(import.meta, 'MemoryListener', {
  async init({ id, endpoint, connectionsMax }: ListenerStart, ctx) {
    await loadEndpoint(endpoint); // a wrong one must fail the start, not every connection
    const admission = new Admission(ctx, connectionsName(id), connectionsMax);
    await admission.recount();
    return admission;
  },
  handleCall: {
    async connect(admission: Admission, link): Promise<CallResult<ConnectResult, Admission>> {
      if (admission.isFull) return reply('full', admission);
      return reply((await admission.admit(link)) ?? 'ok', admission);
    },
  },
  handleInfo: {
    DOWN: (admission: Admission, { ref }) => {
      admission.left(ref);
      return noreply(admission);
    },
  },
});

const connectionsName = (id: string): Name => name(`${id}_connections`);
const listenerName = (id: string): Name<ListenerProtocol> => name(`${id}_listener`);

/**
 * A transport without a wire, for tests and for clients in the same program: `connectMemory` opens connections to it.
 * Messages cross as JSON text, under the same bounds as elsewhere.
 */
export function memory(options: MemoryOptions = {}): Transport {
  const { id = 'memory' } = options;
  const limits = resolveLimits(TRANSPORT_LIMITS, options);
  return {
    id,
    childSpec(endpoint: EndpointSpec): ChildSpec {
      const common: ConnectionStart = { endpoint, limits };
      const template = child(MemoryConnection, common, {
        restart: 'temporary',
        shutdown: limits.drainTimeoutMs + DRAIN_MARGIN_MS,
      });
      const start: ListenerStart = { id, endpoint, connectionsMax: limits.connectionsMax };
      return supervisor(id, { strategy: 'rest_for_one' }, [
        supervisor('connections', { strategy: 'simple_one_for_one', name: connectionsName(id) }, [template]),
        child(MemoryListener, start, { id: 'listener', name: listenerName(id) }),
      ]);
    },
  };
}

/**
 * Opens a connection to the `memory` transport of that id (default `'memory'`).
 *
 * Rejects with `MemoryConnectError`: `ERR_MEMORY_NOT_RUNNING` (no such transport in the system, or it is stopping),
 * `ERR_MEMORY_TOO_MANY_CONNECTIONS`, `ERR_MEMORY_START` (the endpoint failed; `cause` is the exit reason).
 */
export async function connectMemory(system: Pick<Messaging, 'call' | 'whereis'>, id = 'memory'): Promise<MemoryClient> {
  const link = new MemoryLink();
  const listener = listenerName(id);
  if (system.whereis(listener) === undefined) {
    throw new MemoryConnectError('ERR_MEMORY_NOT_RUNNING', `no memory transport '${id}' runs in this system`);
  }
  const result = await system.call(listener, 'connect', link);
  if (result === 'full') {
    throw new MemoryConnectError(
      'ERR_MEMORY_TOO_MANY_CONNECTIONS',
      `memory transport '${id}' takes no more connections`,
    );
  }
  if (result !== 'ok') {
    const message = `a connection to '${id}' could not start: ${describeExit(result.error)}`;
    throw new MemoryConnectError('ERR_MEMORY_START', message, { cause: result.error });
  }
  return {
    send: (message) => link.sendText(typeof message === 'string' ? message : JSON.stringify(message)),
    messages: {
      next: () => link.read(),
      [Symbol.asyncIterator]() {
        return this;
      },
    },
    end: () => link.endSending(),
    close: () => link.leave(),
    closed: link.closed,
  };
}
