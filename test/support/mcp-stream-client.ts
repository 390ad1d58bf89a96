/** A client on a stream of messages, in memory or on the standard streams of a child, for tests. */

import { initialize, notification, request } from './mcp-http-client.ts';

/** What carries the messages. */
export interface MessageStream {
  send(message: object | string): unknown;
  readonly messages: AsyncIterator<object>;
}

export class StreamClient {
  /** Everything that came, in order. */
  readonly received: any[] = [];
  private readonly stream: MessageStream;
  private readonly waiting = new Set<() => void>();
  private requests = 0;
  /** Why nothing more will come. */
  private ended: string | undefined;

  constructor(stream: MessageStream) {
    this.stream = stream;
    void this.read();
  }

  send(message: object | string): void {
    this.stream.send(message);
  }

  notify(method: string, params?: object): void {
    this.send(notification(method, params));
  }

  /** Sends a request and waits for what answers its id. */
  request(method: string, params?: object, id: unknown = ++this.requests): Promise<any> {
    this.send(request(id, method, params));
    return this.answer(id);
  }

  tool(name: string, args: object = {}, id?: unknown, meta?: object): Promise<any> {
    const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
    return this.request('tools/call', params, id);
  }

  /** Opens the session of the stream. */
  async open(capabilities?: object): Promise<any> {
    this.send(initialize('init', capabilities));
    const answer = await this.answer('init');
    this.notify('notifications/initialized');
    return answer;
  }

  /** The first answer to that id. */
  answer(id: unknown): Promise<any> {
    return this.find((message) => message.id === id && message.method === undefined);
  }

  /** The first message that matches, now or later. */
  find(matches: (message: any) => boolean): Promise<any> {
    return this.until(() => this.received.find(matches));
  }

  /** The n-th message. */
  message(n: number): Promise<any> {
    return this.until(() => this.received[n]);
  }

  private until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined && this.ended === undefined) return;
        this.waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`${this.ended} after ${JSON.stringify(this.received)}`));
      };
      this.waiting.add(look);
      look();
    });
  }

  private async read(): Promise<void> {
    try {
      for (;;) {
        const next = await this.stream.messages.next();
        if (next.done === true) break;
        this.received.push(next.value);
        this.look();
      }
      this.ended = 'the stream ended';
    } catch (error) {
      this.ended = `the stream failed (${String(error)})`;
    }
    this.look();
  }

  private look(): void {
    for (const look of [...this.waiting]) look();
  }
}
