import type { Pid } from '../../runtime/index.ts';
import type {
  ConnectionContext,
  ConnectionInfo,
  ConnectionProtocol,
  Endpoint,
  EndpointSpec,
  Inbound,
  Outbound,
} from '../../transports/transport.ts';

/** What the endpoint saw. */
export type Seen =
  | { readonly event: 'open'; readonly connection: Pid<ConnectionProtocol>; readonly info: ConnectionInfo }
  | {
      readonly event: 'inbound';
      readonly connection: Pid<ConnectionProtocol>;
      readonly inbound: Inbound;
      readonly message: Message | undefined;
    }
  | { readonly event: 'abort'; readonly connection: Pid<ConnectionProtocol>; readonly exchange: number }
  | { readonly event: 'close'; readonly connection: Pid<ConnectionProtocol>; readonly reason: any };

export interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: any;
}

/** Collects what the endpoint saw; a test waits for what must come. */
export class Observer {
  readonly seen: Seen[] = [];
  openGate: () => void = () => {};
  private waiters: (() => void)[] = [];
  /** The method `gate` waits for `openGate`. */
  private readonly gate = new Promise<void>((resolve) => {
    this.openGate = resolve;
  });

  readonly observe = (seen: Seen): void => {
    this.seen.push(seen);
    for (const wake of this.waiters.splice(0)) wake();
  };

  /** The first event of that kind, from `after` on, that passes. */
  async wait<K extends Seen['event']>(
    event: K,
    accept: (seen: Extract<Seen, { event: K }>) => boolean = () => true,
  ): Promise<Extract<Seen, { event: K }>> {
    for (let at = 0; ; at++) {
      while (at >= this.seen.length) await new Promise<void>((resolve) => this.waiters.push(resolve));
      const seen = this.seen[at] as Extract<Seen, { event: K }>;
      if (seen.event === event && accept(seen)) return seen;
    }
  }

  /** The inbound with that method, when it has come. */
  inbound(method: string): Promise<Extract<Seen, { event: 'inbound' }>> {
    return this.wait('inbound', ({ message }) => message?.method === method);
  }

  get spec(): EndpointSpec {
    return { module: import.meta.url, exportName: 'ProbeEndpoint', config: { observe: this.observe, gate: this.gate } };
  }
}

interface State {
  readonly observe: (seen: Seen) => void;
  readonly gate: Promise<void>;
  /** Exchanges that are ended when the connection drains. */
  readonly subscriptions: Set<number>;
  readonly workers: Map<number, { readonly exchange: number; readonly id: number | undefined }>;
}

/** A server of one-word methods; those it does not know (`hold`) stay open until the test answers them itself. */
export const ProbeEndpoint: Endpoint<Pick<State, 'observe' | 'gate'>, State> = {
  init({ observe, gate }, info, ctx) {
    observe({ event: 'open', connection: ctx.self, info });
    return { observe, gate, subscriptions: new Set(), workers: new Map() };
  },

  handleInbound(state, inbound, ctx) {
    const message = parse(inbound.text);
    state.observe({ event: 'inbound', connection: ctx.self, inbound, message });
    const { exchange } = inbound;
    const send = (outbound: Omit<Outbound, 'exchange'>): void => ctx.cast(ctx.self, 'send', { exchange, ...outbound });
    if (inbound.http !== undefined && inbound.http.method !== 'POST') {
      if (inbound.http.method === 'DELETE') send({ end: true, http: { status: 200 } });
      else send({ end: false });
      return state;
    }
    if (message === undefined) {
      const error = { code: -32_700, message: 'parse error', data: { fault: inbound.fault } };
      send({ message: { jsonrpc: '2.0', error }, end: true, http: { status: 400 } });
      return state;
    }
    if (message.method === 'fall') throw new Error('the endpoint fell');
    if (message.method === 'reject') return Promise.reject(new Error('the endpoint rejected'));
    if (message.method === 'gate') return state.gate.then(() => state);
    if (message.method === 'wait')
      return Promise.resolve(state).then((same) => {
        send(result(message, 'waited'));
        return same;
      });
    if (message.method === 'die') return startWorker(state, exchange, message.id, ctx);
    if (message.method === 'subscribe') state.subscriptions.add(exchange);
    else answer(message, send, ctx);
    return state;
  },

  handleAbort(state, exchange, ctx) {
    state.observe({ event: 'abort', connection: ctx.self, exchange });
    return state;
  },

  handleDrain(state, ctx) {
    for (const exchange of state.subscriptions) {
      ctx.cast(ctx.self, 'send', { exchange, message: { id: exchange, result: 'drained' }, end: true });
    }
    return state;
  },

  handleDown(state, { ref, reason }, ctx) {
    const worker = state.workers.get(ref);
    state.workers.delete(ref);
    if (worker !== undefined) {
      const message = { jsonrpc: '2.0', id: worker.id, error: { code: -32_603, message: String(reason) } };
      ctx.cast(ctx.self, 'send', { exchange: worker.exchange, message, end: true });
    }
    return state;
  },

  handleClose(state, reason, ctx) {
    state.observe({ event: 'close', connection: ctx.self, reason });
  },
};

/** Not an endpoint: `loadEndpoint` must say so. */
export const NoEndpoint = { init: (): object => ({}) };

function parse(text: string): Message | undefined {
  try {
    return JSON.parse(text) as Message;
  } catch {
    return undefined;
  }
}

function result(message: Message, value: unknown): Omit<Outbound, 'exchange'> {
  return { message: { jsonrpc: '2.0', id: message.id, result: value }, end: true };
}

function startWorker(state: State, exchange: number, id: number | undefined, ctx: ConnectionContext): State {
  const { ref } = ctx.spawnMonitor((_arg: undefined, worker) => worker.exit('worker_died'), undefined);
  state.workers.set(ref, { exchange, id });
  return state;
}

function answer(message: Message, send: (outbound: Omit<Outbound, 'exchange'>) => void, ctx: ConnectionContext): void {
  const { id, method, params } = message;
  if (method === 'echo') send(result(message, params));
  else if (method === 'twice') {
    send(result(message, 'first'));
    send(result(message, 'second'));
  } else if (method === 'bigint') send(result(message, 1n));
  else if (method === 'bigint-notification') send({ message: { method: 'n', params: 1n }, end: false });
  else if (method === 'push') {
    ctx.cast(ctx.self, 'send', { exchange: 0, message: { method: 'pushed', params }, end: true });
    send(result(message, 'ok'));
  } else if (method === 'stream') {
    for (let n = 0; n < params.count; n++) send({ message: { method: 'event', params: { n, of: id } }, end: false });
    send(result(message, 'done'));
  } else if (method === 'flood') {
    const text = 'x'.repeat(params.bytes);
    for (let n = 0; n < params.count; n++) send({ message: { method: 'event', params: { n, text } }, end: false });
  } else if (id === undefined) send({ end: true });
}
