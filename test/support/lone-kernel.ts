/** A kernel without a system around it, for tests of what lies below processes. */

import { Kernel } from '../../runtime/kernel/kernel.ts';
import type { Process } from '../../runtime/kernel/process.ts';
import { spawn } from '../../runtime/kernel/start.ts';
import { simulatedClock } from '../../runtime/testing.ts';
import { systemName } from './test-system.ts';

export function loneKernel(thread = 0): Kernel {
  const name = systemName();
  return new Kernel({ name, id: `${name}@test`, thread, clock: simulatedClock(), guard: { onUnattributed: null } });
}

/** One that waits for ever. */
export function loneProcess(kernel: Kernel): Process {
  return spawn(kernel, null, () => new Promise<void>(() => {}), undefined, {});
}
