import type { Context, Ref } from '../runtime/index.ts';
import { Admission } from './admission.ts';
import type { Arrival } from './arrival.ts';
import { connectionsName } from './connections.ts';
import { DescriptorGauge } from './descriptors.ts';
import type { ListenerLimits } from './limits.ts';

/**
 * What a listener does with a new client: a process of its own, or a refusal. Belongs to the listener process.
 */
export class Reception {
  private readonly admission: Admission;
  private readonly gauge = new DescriptorGauge();
  /** Accepted, but their process is not there yet. */
  private readonly starting = new Set<Arrival>();

  constructor(ctx: Context, id: string, { connectionsMax, connectionsPerAddressMax }: ListenerLimits) {
    this.admission = new Admission(ctx, connectionsName(id), connectionsMax, connectionsPerAddressMax);
    // Whoever has no process when the listener ends belongs to nobody.
    ctx.openPort({
      close: (reason) => {
        for (const arrival of this.starting) if (!arrival.isOpen) arrival.close(reason);
      },
    });
  }

  recount(): Promise<void> {
    return this.admission.recount();
  }

  /** `descriptor`: that of its socket, if it is known. */
  welcome(arrival: Arrival, descriptor?: number): void {
    const descriptors = this.gauge.read(descriptor);
    if (descriptors === 'exhausted') arrival.close('normal');
    else if (descriptors === 'scarce') arrival.turnAway('out_of_descriptors');
    else if (this.admission.isFull) arrival.turnAway('too_many_connections');
    else if (this.admission.isFullFor(arrival.info.remoteAddress)) arrival.turnAway('too_many_connections_of_address');
    else void this.start(arrival);
  }

  left(ref: Ref): void {
    this.admission.left(ref);
  }

  private async start(arrival: Arrival): Promise<void> {
    this.starting.add(arrival);
    const failed = await this.admission.admit(arrival, arrival.info.remoteAddress);
    this.starting.delete(arrival);
    if (failed === undefined || arrival.isGone) return;
    arrival.turnAway(failed.error instanceof Error ? 'unavailable' : 'internal_error');
  }
}
