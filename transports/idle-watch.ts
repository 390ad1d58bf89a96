import { IDLE_CHECKS } from './limits.ts';
import type { Intake } from './peer.ts';

/** Why a connection was closed: nothing was open on it, and its peer had sent nothing, for so long. */
export interface IdleConnection {
  readonly idle: { readonly idleTimeoutMs: number };
}

/** Counts how long a connection has been idle, in whole checks: no clock is read when a message comes. */
export class IdleWatch {
  private readonly idleTimeoutMs: number;
  private quietChecks = 0;
  private active = true;

  constructor(idleTimeoutMs: number) {
    this.idleTimeoutMs = idleTimeoutMs;
  }

  get checkMs(): number {
    return Math.ceil(this.idleTimeoutMs / IDLE_CHECKS);
  }

  /** The peer has sent something. */
  touch(): void {
    this.active = true;
  }

  /** To be called every `checkMs`. Ends the connection if it has been idle for too long. */
  check(intake: Intake): boolean {
    if (this.active || intake.open.size > 0) {
      this.active = false;
      this.quietChecks = 0;
      return false;
    }
    this.quietChecks += 1;
    if (this.quietChecks < IDLE_CHECKS) return false;
    const idle: IdleConnection = { idle: { idleTimeoutMs: this.idleTimeoutMs } };
    intake.stop({ shutdown: idle } as never);
    return true;
  }
}
