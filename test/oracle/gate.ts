import type { Pid, System } from '../../runtime/index.ts';
import { openTag } from './worker.ts';

/** Where starts with the outcome `hold` wait. Open, unless a `during` has closed it. */
export class Gate {
  private readonly system: System;
  private readonly waiting: Pid[] = [];
  private closed = false;
  private arrival: () => void = () => {};
  private holding: Promise<void> = Promise.resolve();

  constructor(system: System) {
    this.system = system;
  }

  get isHolding(): boolean {
    return this.waiting.length > 0;
  }

  /** Settles when somebody waits, after it was closed. */
  get untilHolding(): Promise<void> {
    return this.holding;
  }

  arrived(worker: Pid): void {
    if (this.closed) {
      this.waiting.push(worker);
      this.arrival();
    } else this.letGo(worker);
  }

  close(): void {
    this.closed = true;
    this.holding = new Promise((resolve) => {
      this.arrival = resolve;
    });
  }

  open(): void {
    this.closed = false;
    for (const worker of this.waiting.splice(0)) this.letGo(worker);
  }

  private letGo(worker: Pid): void {
    this.system.send(worker, openTag);
  }
}
