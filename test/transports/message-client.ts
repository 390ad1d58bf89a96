import type { ContractClient } from '../transport-contract.ts';

/** A connection over which texts of messages go both ways. */
export interface MessageWire {
  send(text: string): void;
  /** Calls with each message that comes; from then on it reads. */
  read(take: (text: string) => void): void;
  /** Reads nothing more. */
  stopReading(): void;
  leave(): void;
  readonly closed: Promise<unknown>;
}

interface Waiting {
  readonly got: any[];
  readonly done: (all: any[]) => void;
}

/** Collects the messages of a client per request id; events carry the id of theirs in `params.of`. */
export class MessageClient implements ContractClient {
  readonly closed: Promise<unknown>;
  /** Messages that belong to no request. */
  readonly others: any[] = [];
  private readonly wire: MessageWire;
  private readonly waiting = new Map<number, Waiting>();
  private wake: () => void = () => {};

  constructor(wire: MessageWire) {
    this.wire = wire;
    this.closed = wire.closed;
    wire.read((text) => this.take(JSON.parse(text)));
  }

  request(message: { readonly id: number; readonly method: string; readonly params?: unknown }): Promise<any[]> {
    const answered = new Promise<any[]>((done) => this.waiting.set(message.id, { got: [], done }));
    this.wire.send(JSON.stringify(message));
    return Promise.race([answered, this.closed.then(() => Promise.reject(new Error('closed')))]);
  }

  async notify(message: object): Promise<void> {
    this.wire.send(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.wire.send(text);
  }

  requestUnread(message: object): void {
    this.wire.stopReading();
    this.wire.send(JSON.stringify(message));
  }

  leave(): void {
    this.wire.leave();
  }

  /** The next message that belongs to no request. */
  async other(): Promise<any> {
    while (this.others.length === 0) {
      const more = new Promise<boolean>((resolve) => {
        this.wake = () => resolve(true);
      });
      const open = await Promise.race([more, this.closed.then(() => false)]);
      if (!open && this.others.length === 0) throw new Error('closed');
    }
    return this.others.shift();
  }

  private take(message: any): void {
    const request = this.waiting.get(message.id ?? message.params?.of);
    if (request === undefined) {
      this.others.push(message);
      this.wake();
      return;
    }
    request.got.push(message);
    if (message.id !== undefined) request.done(request.got);
  }
}
