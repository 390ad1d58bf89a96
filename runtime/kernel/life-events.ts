import { processExit, processStart } from '../telemetry.ts';
import type { ExitReason } from './exit.ts';
import type { Process } from './process.ts';

/** Publishes that there is a new process. */
export function publishStart(system: string, { pid, parent, initialCall }: Process): void {
  processStart.publish({ system, pid, parent, initialCall });
}

/** Publishes that a process has exited. */
export function publishExit(system: string, { pid, label, initialCall }: Process, reason: ExitReason): void {
  processExit.publish({ system, pid, reason, label, initialCall });
}
