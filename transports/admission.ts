import { type Context, type Name, type Ref, startChild, whichChildren } from '../runtime/index.ts';

/**
 * A listener's count of the connections under its connection supervisor. It is kept by monitors, so that it is right
 * after a crash of the listener too: the next one counts whom it finds.
 */
export class Admission {
  private readonly ctx: Context;
  private readonly connections: Name;
  private readonly connectionsMax: number;
  private readonly monitors = new Set<Ref>();
  private starting = 0;

  constructor(ctx: Context, connections: Name, connectionsMax: number) {
    this.ctx = ctx;
    this.connections = connections;
    this.connectionsMax = connectionsMax;
  }

  get count(): number {
    return this.monitors.size + this.starting;
  }

  get isFull(): boolean {
    return this.count >= this.connectionsMax;
  }

  /** Counts the connections that an earlier listener admitted. */
  async recount(): Promise<void> {
    for (const { pid } of await whichChildren(this.ctx, this.connections)) {
      if (typeof pid === 'object') this.monitors.add(this.ctx.monitor(pid));
    }
  }

  /** Starts the process of a connection; says why it could not. `isFull` must be false. */
  async admit(start: unknown): Promise<{ readonly error: unknown } | undefined> {
    this.starting++;
    try {
      const result = await startChild(this.ctx, this.connections, start);
      if ('error' in result) return { error: result.error };
      if (result.ok !== undefined) this.monitors.add(this.ctx.monitor(result.ok));
      return undefined;
    } catch (error) {
      return { error }; // no supervisor: it is being stopped or restarted
    } finally {
      this.starting--;
    }
  }

  /** A DOWN came in. */
  left(ref: Ref): void {
    this.monitors.delete(ref);
  }
}
