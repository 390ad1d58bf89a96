import { asProcess } from './attribution.ts';
import { publishCrash } from './crash-report.ts';
import { type ExitReason, errorExit } from './exit.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';

/**
 * An outside resource (socket, child process, file) that belongs to a process. The kernel closes it when its owner
 * exits, for whatever reason, as the BEAM closes the ports of a process (erlang:open_port/2).
 */
export interface Port {
  /** Must release the resource at once and not throw. */
  close(reason: ExitReason): void;
}

/**
 * Closes all ports of a process that has exited; one that throws is reported, and the others are closed all the same.
 */
export function closePorts(kernel: Kernel, process: Process, reason: ExitReason): void {
  if (process.ports === null) return;
  for (const port of process.ports) {
    try {
      asProcess(process, () => port.close(reason));
    } catch (error) {
      publishCrash(kernel, process, errorExit(error), {}, false);
    }
  }
  process.ports = null;
}
