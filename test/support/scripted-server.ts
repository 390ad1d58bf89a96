/** A server that is the test: what the client sends comes as calls, what the test says goes to the client. */

import {
  type Context,
  child,
  type ExitReason,
  type GenServer,
  genServer,
  noreply,
  type Pid,
  stop,
  stopInit,
} from '../../runtime/index.ts';
import type { CarrierProtocol, CarrierStart, ClientTransport, Outgoing } from '../../transports/client-transport.ts';

interface CarrierSeen {
  readonly exchange: number;
  readonly message: any;
  readonly http: Outgoing['http'];
}

/** One connection of the client, from its carrier's side. */
export class ScriptedConnection {
  readonly ctx: Context;
  readonly owner: Pid;
  /** Exchanges that the client has given up. */
  readonly aborted: number[] = [];
  closed: ExitReason | undefined;
  private readonly server: ScriptedServer;

  constructor(server: ScriptedServer, ctx: Context, owner: Pid) {
    this.server = server;
    this.ctx = ctx;
    this.owner = owner;
  }

  text(text: string, exchange = 0): void {
    this.ctx.send(this.owner, 'carrier_text', { carrier: this.ctx.self, exchange, text });
  }

  fault(fault: string, exchange = 0): void {
    this.ctx.send(this.owner, 'carrier_text', { carrier: this.ctx.self, exchange, text: '', fault });
  }

  say(message: object, exchange = 0): void {
    this.text(JSON.stringify({ jsonrpc: '2.0', ...message }), exchange);
  }

  log(text: string): void {
    this.ctx.send(this.owner, 'carrier_log', { carrier: this.ctx.self, text });
  }

  result(request: CarrierSeen, result: object): void {
    const exchange = this.server.kind === 'http' ? request.exchange : 0;
    if (exchange !== 0) this.head(exchange, 200);
    this.say({ id: request.message.id, result }, exchange);
    if (exchange !== 0) this.end(exchange);
  }

  error(request: CarrierSeen, error: object, status = 200): void {
    const exchange = this.server.kind === 'http' ? request.exchange : 0;
    if (exchange !== 0) this.head(exchange, status);
    this.say({ id: request.message.id, error }, exchange);
    if (exchange !== 0) this.end(exchange);
  }

  head(exchange: number, status: number, headers: Readonly<Record<string, string>> = {}): void {
    this.ctx.send(this.owner, 'carrier_head', { carrier: this.ctx.self, exchange, status, headers });
  }

  end(exchange: number, more: object = {}): void {
    this.ctx.send(this.owner, 'carrier_end', { carrier: this.ctx.self, exchange, ...more });
  }

  /** The connection ends, as that of a server that exits. */
  drop(reason: unknown = 'dropped'): void {
    this.ctx.send(this.ctx.self, 'drop', { shutdown: reason } as never);
  }

  seen(seen: CarrierSeen): void {
    this.server.take(this, seen);
  }
}

export interface Met extends CarrierSeen {
  readonly connection: ScriptedConnection;
}

/** Collects what the client sends; the test waits for each message, in order. */
export class ScriptedServer {
  readonly kind: 'stream' | 'http';
  readonly connections: ScriptedConnection[] = [];
  /** The next carriers do not start. */
  refuses = false;
  refused = 0;
  private readonly queue: Met[] = [];
  private readonly waiting: (() => void)[] = [];

  constructor(kind: 'stream' | 'http' = 'stream') {
    this.kind = kind;
  }

  get transport(): ClientTransport {
    return {
      kind: this.kind,
      target: 'a scripted server',
      carrier: child(ScriptedCarrier, this as never, { id: 'carrier', restart: 'temporary' }),
    };
  }

  take(connection: ScriptedConnection, seen: CarrierSeen): void {
    this.queue.push({ connection, ...seen });
    this.wake();
  }

  wake(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** The next message of that method (for a GET or DELETE: of that verb); others before it stay. */
  async next(method: string): Promise<Met> {
    for (;;) {
      const at = this.queue.findIndex(({ message, http }) => (message?.method ?? http?.method) === method);
      if (at !== -1) return this.queue.splice(at, 1)[0]!;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** The next response of the client to a request of the server. */
  async nextResponse(): Promise<Met> {
    for (;;) {
      const at = this.queue.findIndex(({ message }) => message !== undefined && message.method === undefined);
      if (at !== -1) return this.queue.splice(at, 1)[0]!;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** What has come and was not asked for: methods. */
  get unread(): string[] {
    return this.queue.map(({ message, http }) => message?.method ?? http?.method ?? 'response');
  }

  async until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Opens a session with the client. */
  async initialize(result: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<Met> {
    const request = await this.next('initialize');
    const { connection, exchange, message } = request;
    const answer = {
      protocolVersion: message.params.protocolVersion,
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} },
      serverInfo: { name: 'scripted', version: '1' },
      ...result,
    };
    if (this.kind === 'http') connection.head(exchange, 200, headers);
    connection.say({ id: message.id, result: answer }, this.kind === 'http' ? exchange : 0);
    if (this.kind === 'http') connection.end(exchange);
    const initialized = await this.next('notifications/initialized');
    if (this.kind === 'http') {
      connection.head(initialized.exchange, 202);
      connection.end(initialized.exchange);
    }
    return request;
  }

  /** Answers server/discover. */
  async discover(result: object = {}): Promise<Met> {
    const request = await this.next('server/discover');
    request.connection.result(request, {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
      ...result,
    });
    return request;
  }
}

type Start = readonly [ScriptedServer, CarrierStart];

/** The carrier to a scripted server. */
export const ScriptedCarrier: GenServer<CarrierProtocol & { readonly info: { readonly drop: ExitReason } }, Start> =
  genServer(import.meta, 'ScriptedCarrier', {
    init([server, { owner }]: Start, ctx) {
      if (server.refuses) {
        server.refused += 1;
        server.wake();
        return stopInit('refused');
      }
      const connection = new ScriptedConnection(server, ctx, owner);
      ctx.openPort({
        close: (reason) => {
          connection.closed = reason;
          server.wake();
        },
      });
      ctx.monitor(owner);
      server.connections.push(connection);
      server.wake();
      return connection;
    },
    handleCast: {
      send: (connection: ScriptedConnection, { exchange, message, http }) => {
        // Across the wire it is text.
        const copy = message === undefined ? undefined : JSON.parse(JSON.stringify(message));
        connection.seen({ exchange, message: copy, http });
        return noreply(connection);
      },
      abort: (connection: ScriptedConnection, exchange) => {
        connection.aborted.push(exchange);
        return noreply(connection);
      },
      taken: (connection: ScriptedConnection) => noreply(connection),
      close: (connection: ScriptedConnection) => stop('normal', connection),
    },
    handleInfo: {
      drop: (connection: ScriptedConnection, reason) => stop(reason, connection),
      DOWN: (connection: ScriptedConnection) => stop('normal', connection),
    },
  });
