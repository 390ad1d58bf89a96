import type { Context, Pid, Protocol } from '../../runtime/index.ts';
import type { CarrierEnd, CarrierHead, CarrierReports, CarrierText } from '../client-transport.ts';

/**
 * Where a carrier reports to: the mailbox of its owner, straight from the callbacks of its sockets, until the process
 * of the carrier has exited. It counts the texts that the owner has not handled yet.
 */
export class CarrierOutlet {
  private readonly ctx: Context;
  private readonly owner: Pid<{ readonly info: CarrierReports }>;
  private readonly waitingMax: number;
  private waiting = 0;
  private live = true;

  constructor(ctx: Context, owner: Pid, waitingMax: number) {
    this.ctx = ctx;
    this.owner = owner;
    this.waitingMax = waitingMax;
  }

  /** Nothing more should be read before the owner has handled something. */
  get isFull(): boolean {
    return this.waiting >= this.waitingMax;
  }

  taken(count: number): void {
    this.waiting = Math.max(0, this.waiting - count);
  }

  text(report: Omit<CarrierText, 'carrier'>): void {
    this.waiting += 1;
    this.report('carrier_text', { carrier: this.ctx.self, ...report });
  }

  head(report: Omit<CarrierHead, 'carrier'>): void {
    this.report('carrier_head', { carrier: this.ctx.self, ...report });
  }

  end(report: Omit<CarrierEnd, 'carrier'>): void {
    this.report('carrier_end', { carrier: this.ctx.self, ...report });
  }

  log(text: string): void {
    this.report('carrier_log', { carrier: this.ctx.self, text });
  }

  /** Something for the process of the carrier itself. */
  self<P extends Protocol>(tag: string, payload?: unknown): void {
    if (this.live) this.ctx.send(this.ctx.self as Pid<P>, tag as never, payload as never);
  }

  /** The process has exited: nothing can be reported any more. */
  detach(): void {
    this.live = false;
  }

  private report<T extends keyof CarrierReports>(tag: T, payload: CarrierReports[T]): void {
    if (this.live) this.ctx.send(this.owner, tag, payload as never);
  }
}
