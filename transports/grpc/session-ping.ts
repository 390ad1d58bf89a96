import type { Http2Session } from 'node:http2';
import type { Clock } from '../../runtime/index.ts';

/**
 * Asks every so often whether the client of a session is there, and destroys the session if it does not answer in as
 * much time. The library can do it too, but it takes for dead a session that was told to end (GOAWAY) and still has
 * calls: Node.js sends no ping on one.
 */
export class SessionPings {
  private readonly known = new WeakSet<Http2Session>();
  private readonly intervalMs: number;
  private readonly clock: Clock;

  constructor(intervalMs: number, clock: Clock) {
    this.intervalMs = intervalMs;
    this.clock = clock;
  }

  /** A session has a call. */
  watch(session: Http2Session): void {
    if (this.known.has(session)) return;
    this.known.add(session);
    this.next(session);
  }

  private next(session: Http2Session): void {
    const timer = this.clock.setTimer(() => {
      session.off('close', stop);
      if (!session.closed) this.ask(session);
    }, this.intervalMs);
    const stop = (): void => this.clock.clearTimer(timer);
    session.once('close', stop);
  }

  private ask(session: Http2Session): void {
    const timer = this.clock.setTimer(() => {
      if (!session.closed) session.destroy();
    }, this.intervalMs);
    session.ping((error) => {
      this.clock.clearTimer(timer);
      if (error === null && !session.closed) this.next(session);
    });
  }
}
