import type { MountTransport } from './mounted.ts';

/** What a mounted server is connected to: its messages go to whoever made this, and come from there. */
export class BridgeTransport implements MountTransport {
  readonly sessionId?: string;
  onmessage?: (message: any, extra?: any) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly #out: (message: object, relatedTo: string | number | undefined) => void;
  #closed = false;

  constructor(sessionId: string | undefined, out: (message: object, relatedTo: string | number | undefined) => void) {
    if (sessionId !== undefined) this.sessionId = sessionId;
    this.#out = out;
  }

  async start(): Promise<void> {}

  async send(message: object, options?: { readonly relatedRequestId?: string | number }): Promise<void> {
    if (this.#closed) throw new Error('the connection is closed');
    this.#out(message, options?.relatedRequestId);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.();
  }
}
