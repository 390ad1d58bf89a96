/** How many worker threads there are. */

import type { Worker } from 'node:worker_threads';
import type { Cleanup } from './test-system.ts';

/** Counts those that this thread starts from now on. */
export function countWorkers(t: Cleanup): { readonly count: number } {
  const counter = { count: 0 };
  const started = (worker: Worker): void => {
    counter.count++;
    worker.on('exit', () => {
      counter.count--;
    });
  };
  process.on('worker', started);
  t.after(() => process.off('worker', started));
  return counter;
}
