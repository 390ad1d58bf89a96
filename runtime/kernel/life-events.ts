import { processExit, processStart } from '../telemetry.ts';
import type { ExitReason } from './exit.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';

/** Publishes that there is a new process. */
export function publishStart(kernel: Kernel, { pid, parent, initialCall }: Process): void {
  processStart.publish({ ...kernel.numbering.origin(pid), parent, initialCall });
}

/** Publishes that a process has exited. */
export function publishExit(kernel: Kernel, { pid, label, initialCall }: Process, reason: ExitReason): void {
  processExit.publish({ ...kernel.numbering.origin(pid), reason, label, initialCall });
}
