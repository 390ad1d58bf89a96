/** What a system reports, kept and waited for. */

import {
  type CrashReport,
  channels,
  isErrorExit,
  type ProcessExitEvent,
  type ProcessStart,
  type ProgressReport,
  type SupervisorReport,
} from '../../runtime/index.ts';
import { onEvent } from './supervision-trace.ts';
import type { Cleanup } from './test-system.ts';

export class SystemEvents {
  readonly crashes: CrashReport[] = [];
  readonly reports: SupervisorReport[] = [];
  readonly progress: ProgressReport[] = [];
  readonly starts: ProcessStart[] = [];
  readonly exits: ProcessExitEvent[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(t: Cleanup, system: string) {
    const keep = <T>(channel: string, events: T[]): void =>
      onEvent<T>(t, channel, system, (event) => {
        events.push(event);
        for (const look of [...this.waiting]) look();
      });
    keep(channels.crashReport, this.crashes);
    keep(channels.supervisorReport, this.reports);
    keep(channels.progressReport, this.progress);
    keep(channels.processStart, this.starts);
    keep(channels.processExit, this.exits);
  }

  /** What `find` finds, now or after one of the events to come. */
  until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        this.waiting.delete(look);
        resolve(found);
      };
      this.waiting.add(look);
      look();
    });
  }

  /** The next event after this call, of any kind. */
  next(): Promise<void> {
    let now = true;
    const later = this.until(() => (now ? undefined : true)).then(() => {});
    now = false;
    return later;
  }

  /** The report of a supervisor that names the culprit by its id or its label. */
  culprit(named: RegExp): Promise<SupervisorReport> {
    return this.until(() =>
      this.reports.find(({ offender: { id, label } }) => named.test(id ?? '') || named.test(label ?? '')),
    );
  }

  /** The crash report with that message. */
  crash(message: RegExp): Promise<CrashReport> {
    return this.until(() =>
      this.crashes.find(({ reason }) => {
        if (!isErrorExit(reason)) return false;
        const { error } = reason as { error: { message?: string } };
        return message.test(error?.message ?? String(error));
      }),
    );
  }
}
