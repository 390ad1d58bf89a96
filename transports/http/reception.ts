import type { Context, Ref } from '../../runtime/index.ts';
import { Admission } from '../admission.ts';
import { connectionsName } from './http-connection.ts';
import type { HttpPeer } from './http-peer.ts';
import { internalError, tooManyConnections, unavailable } from './refusal.ts';

/**
 * What a listener does with a new client socket: a process of its own, or a refusal. Belongs to the listener process.
 */
export class Reception {
  private readonly admission: Admission;
  /** Accepted, but their process is not there yet. */
  private readonly starting = new Set<HttpPeer>();

  constructor(ctx: Context, id: string, connectionsMax: number) {
    this.admission = new Admission(ctx, connectionsName(id), connectionsMax);
    // Whoever has no process when the listener ends belongs to nobody.
    ctx.openPort({
      close: (reason) => {
        for (const peer of this.starting) if (!peer.isOpen) peer.close(reason);
      },
    });
  }

  recount(): Promise<void> {
    return this.admission.recount();
  }

  welcome(peer: HttpPeer): void {
    if (this.admission.isFull) peer.refuseAll(tooManyConnections);
    else void this.start(peer);
  }

  left(ref: Ref): void {
    this.admission.left(ref);
  }

  private async start(peer: HttpPeer): Promise<void> {
    this.starting.add(peer);
    const failed = await this.admission.admit(peer);
    this.starting.delete(peer);
    if (failed !== undefined && !peer.isGone)
      peer.refuseAll(failed.error instanceof Error ? unavailable : internalError);
  }
}
