import { IDLE_CHECKS } from './limits.ts';
import type { Intake } from './peer.ts';

/** Why a connection was closed: nothing was open on it, and its peer had sent nothing, for so long. */
export interface IdleConnection {
  readonly idle: { readonly idleTimeoutMs: number };
}

/** Counts how long a connection has been idle, in whole checks: no clock is read when a message comes. */
export class IdleWatch {
  /** How often `check` is to be called. */
  readonly checkMs: number;
  private readonly idleTimeoutMs: number;
  private quietMs = 0;
  private active = true;

  constructor(idleTimeoutMs: number, checkMsMax: number = idleTimeoutMs) {
    this.idleTimeoutMs = idleTimeoutMs;
    this.checkMs = Math.min(checkMsMax, Math.ceil(idleTimeoutMs / IDLE_CHECKS));
  }

  /** Whether the peer has sent something since the last check. */
  get isActive(): boolean {
    return this.active;
  }

  /** The peer has sent something. */
  touch(): void {
    this.active = true;
  }

  /** To be called every `checkMs`. Ends the connection if it has been idle for too long. */
  check(intake: Intake): boolean {
    if (this.active || intake.open.size > 0) {
      this.active = false;
      this.quietMs = 0;
      return false;
    }
    this.quietMs += this.checkMs;
    if (this.quietMs < this.idleTimeoutMs) return false;
    const idle: IdleConnection = { idle: { idleTimeoutMs: this.idleTimeoutMs } };
    intake.stop({ shutdown: idle } as never);
    return true;
  }
}
