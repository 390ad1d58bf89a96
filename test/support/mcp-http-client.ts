/** A client of Streamable HTTP that shows what is on the wire, for tests. */

import http from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** What the response carried, in order; the last one is the answer. */
  readonly messages: any[];
}

/** An event of an event stream. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly retry: string | undefined;
  readonly message: any;
}

const accepting = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** One HTTP request and what comes back. */
export class Exchange {
  /** When the head of the response is there. */
  readonly opened: Promise<http.IncomingMessage>;
  /** When the response is there as a whole. Rejects if the socket is cut before. */
  readonly ended: Promise<Answer>;
  readonly messages: any[] = [];
  /** The events of an event stream, those without a message too. */
  readonly events: StreamEvent[] = [];
  private readonly request: http.ClientRequest;
  private rest = '';
  private arrived: () => void = () => {};

  constructor(request: http.ClientRequest, body: string | undefined) {
    this.request = request;
    this.opened = new Promise((resolve, reject) => {
      request.once('response', resolve).once('error', reject);
    });
    this.ended = this.opened.then((response) => this.read(response));
    for (const promise of [this.opened, this.ended]) {
      promise.catch(() => {
        // A test that looks at the promise sees it; one that leaves the exchange does not care.
      });
    }
    request.end(body);
  }

  /** The n-th message of the response, when it is there. */
  async message(n: number): Promise<any> {
    while (this.messages.length <= n) {
      const more = new Promise<void>((resolve) => {
        this.arrived = resolve;
      });
      await Promise.race([more, this.ended]);
      if (this.messages.length <= n && (await settledNow(this.ended))) throw new Error(`there is no message ${n}`);
    }
    return this.messages[n];
  }

  /** The first message that matches, when it is there. */
  async find(matches: (message: any) => boolean): Promise<any> {
    for (let n = 0; ; n++) {
      const message = await this.message(n);
      if (matches(message)) return message;
    }
  }

  /** The answer: the last message. */
  async answer(): Promise<any> {
    return (await this.ended).messages.at(-1);
  }

  /** Closes the socket, as a client does that loses interest. */
  leave(): void {
    this.request.destroy();
  }

  private async read(response: http.IncomingMessage): Promise<Answer> {
    const streaming = response.headers['content-type'] === 'text/event-stream';
    for await (const chunk of response.setEncoding('utf8')) {
      this.rest += chunk;
      if (streaming) this.takeEvents();
    }
    if (!streaming && this.rest !== '') this.messages.push(JSON.parse(this.rest));
    return { status: response.statusCode ?? 0, headers: response.headers, messages: this.messages };
  }

  private takeEvents(): void {
    const events = this.rest.split('\n\n');
    this.rest = events.pop() ?? '';
    for (const event of events) {
      const field = (name: string): string | undefined =>
        event
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field('data');
      if (data === undefined) continue;
      const message: unknown = data === '' ? undefined : JSON.parse(data);
      this.events.push({ id: field('id'), retry: field('retry'), message });
      if (message !== undefined) this.messages.push(message);
    }
    this.arrived();
  }
}

async function settledNow(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

/** A client with sockets of its own, which are kept alive until it is closed. */
export class HttpClient {
  readonly url: string;
  /** What each request says beside its own headers. */
  readonly headers: Record<string, string>;
  private readonly agent = new http.Agent({ keepAlive: true });

  constructor(url: string, headers: Record<string, string> = {}) {
    this.url = url;
    this.headers = headers;
  }

  exchange(method: 'POST' | 'GET' | 'DELETE', body?: object | string, headers: Record<string, string> = {}): Exchange {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    const request = http.request(this.url, {
      method,
      agent: this.agent,
      headers: { ...accepting, ...this.headers, ...headers },
    });
    return new Exchange(request, text);
  }

  post(body: object | string, headers?: Record<string, string>): Exchange {
    return this.exchange('POST', body, headers);
  }

  /** A request of the stateless revision. */
  stateless(method: string, params: object = {}, options: RequestOptions = {}): Exchange {
    const { id = 1, capabilities = {}, meta = {}, headers = {} } = options;
    const { name, uri, taskId } = params as { name?: string; uri?: string; taskId?: string };
    const body = request(id, method, { ...params, _meta: { ...envelope(capabilities), ...meta } });
    const value = name ?? uri ?? taskId;
    const named: Record<string, string> = value === undefined ? {} : { 'mcp-name': value };
    return this.post(body, { 'mcp-protocol-version': STATELESS, 'mcp-method': method, ...named, ...headers });
  }

  close(): void {
    this.agent.destroy();
  }
}

export interface RequestOptions {
  readonly id?: unknown;
  readonly capabilities?: object;
  /** Beside the envelope; a progress token, for instance. */
  readonly meta?: object;
  readonly headers?: Record<string, string>;
}

export const STATELESS = '2026-07-28';
export const SESSIONS = '2025-11-25';

/** What every stateless request says of its client. */
export function envelope(capabilities: object = {}): object {
  return {
    'io.modelcontextprotocol/protocolVersion': STATELESS,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    'io.modelcontextprotocol/clientInfo': { name: 'test-client', version: '1.0.0' },
  };
}

export function request(id: unknown, method: string, params?: object): object {
  return { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) };
}

export function notification(method: string, params?: object): object {
  return { jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) };
}

export function initialize(id: unknown = 'init', capabilities: object = {}): object {
  const clientInfo = { name: 'test-client', version: '1.0.0' };
  return request(id, 'initialize', { protocolVersion: SESSIONS, capabilities, clientInfo });
}

/** A session over HTTP, on a client of its own. */
export class HttpSession {
  readonly client: HttpClient;
  readonly id: string;
  private requests = 0;

  private constructor(client: HttpClient, id: string) {
    this.client = client;
    this.id = id;
  }

  static async open(url: string, capabilities: object = {}, given: Record<string, string> = {}): Promise<HttpSession> {
    const client = new HttpClient(url, given);
    const { status, headers, messages } = await client.post(initialize('init', capabilities)).ended;
    const id = headers['mcp-session-id'];
    if (typeof id !== 'string') throw new Error(`no session: ${status} ${JSON.stringify(messages)}`);
    const session = new HttpSession(client, id);
    await session.notify('notifications/initialized');
    return session;
  }

  /** What a session of that id would send, whether it exists or not. */
  static named(url: string, id: string, headers: Record<string, string> = {}): HttpSession {
    return new HttpSession(new HttpClient(url, headers), id);
  }

  /** The same session on sockets that are new. */
  reconnected(url: string): HttpSession {
    this.client.close();
    return HttpSession.named(url, this.id);
  }

  get headers(): Record<string, string> {
    return { 'mcp-session-id': this.id, 'mcp-protocol-version': SESSIONS };
  }

  request(method: string, params?: object, id: unknown = ++this.requests): Exchange {
    return this.client.post(request(id, method, params), this.headers);
  }

  tool(name: string, args: object = {}, { id, meta }: RequestOptions = {}): Exchange {
    return this.request('tools/call', { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) }, id);
  }

  notify(method: string, params?: object): Promise<Answer> {
    return this.client.post(notification(method, params), this.headers).ended;
  }

  /** GET: what the session has to say, or what followed an event. */
  listen(lastEventId?: string): Exchange {
    const resumed: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    return this.client.exchange('GET', undefined, { ...this.headers, ...resumed });
  }

  /** DELETE. */
  end(): Promise<Answer> {
    return this.client.exchange('DELETE', undefined, this.headers).ended;
  }
}
