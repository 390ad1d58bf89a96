import type { ExitReason } from '../kernel/exit.ts';
import { DEPARTED_MAX } from '../limits.ts';

/**
 * The last processes of a thread that have exited, and why. A link, monitor or call from another thread that was made
 * while the process lived may arrive when it does not any more: who made it hears the reason, as it would have on one
 * thread, and not `noproc`.
 */
export class Departed {
  private readonly serials: number[] = [];
  private readonly reasons: ExitReason[] = [];
  private next = 0;

  add(serial: number, reason: ExitReason): void {
    this.serials[this.next] = serial;
    this.reasons[this.next] = reason;
    this.next = (this.next + 1) % DEPARTED_MAX;
  }

  /** `'noproc'` if it has been gone for too long. */
  reasonOf(serial: number): ExitReason {
    const at = this.serials.indexOf(serial);
    return at === -1 ? 'noproc' : this.reasons[at];
  }
}
