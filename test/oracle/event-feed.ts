/** What a system with worker threads publishes about itself, in the order in which it happened. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, type Pid, type ProcessStart } from '../../runtime/index.ts';
import { EventOrder } from './event-order.ts';
import type { Listen } from './recorder.ts';
import { workerEvents } from './worker.ts';

interface OrderedEvent {
  readonly system: string;
  readonly order: number;
  readonly pid?: Pid;
}

type Listener = (event: unknown) => void;

/**
 * Listens before the system starts, and to everything: an event that nobody listens to would leave no gap in the
 * numbers, but one that is published and does not come here leaves one for good.
 */
export class EventFeed {
  private readonly order = new EventOrder();
  private readonly parents = new Map<Pid, Pid | null>();
  /** Of each part of the tree, by its uppermost process. */
  private readonly listeners = new Map<Pid, Map<string, Listener>>();
  private readonly told = new Map<string, Listener>();

  constructor(system: string) {
    for (const channel of [...Object.values(channels), workerEvents]) {
      this.told.set(channel, (event) => {
        const { system: from, order } = event as OrderedEvent;
        if (from === system) this.order.take(order, () => this.happened(channel, event as OrderedEvent));
      });
    }
    for (const [channel, listener] of this.told) subscribe(channel, listener);
  }

  close(): void {
    for (const [channel, listener] of this.told) unsubscribe(channel, listener);
  }

  parentOf(pid: Pid): Pid | undefined {
    return this.parents.get(pid) ?? undefined;
  }

  /** Events of `top` and of all that descends from it. */
  of(top: Pid): Listen {
    const listeners = new Map<string, Listener>();
    this.listeners.set(top, listeners);
    return (channel, listener) => {
      listeners.set(channel, listener);
      return () => this.listeners.delete(top);
    };
  }

  /** Settles when all that was published before the number was taken has been told. */
  untilToldBefore(number: number): Promise<void> {
    return new Promise((resolve) => this.order.take(number, resolve));
  }

  /** What is missing, for who waits in vain. */
  get gap(): string {
    return this.order.gap;
  }

  private happened(channel: string, event: OrderedEvent): void {
    const { pid } = event;
    if (pid === undefined) return;
    if (channel === channels.processStart) this.parents.set(pid, (event as unknown as ProcessStart).parent);
    this.listenersOf(pid)?.get(channel)?.(event);
  }

  private listenersOf(lowest: Pid): ReadonlyMap<string, Listener> | undefined {
    for (let pid: Pid | undefined = lowest; pid !== undefined; pid = this.parentOf(pid)) {
      const listeners = this.listeners.get(pid);
      if (listeners !== undefined) return listeners;
    }
    return undefined;
  }
}
