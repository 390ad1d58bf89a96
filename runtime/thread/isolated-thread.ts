import { ISOLATED_PROCESSES_MAX, ISOLATED_RESERVED_PROCESSES_MAX } from '../limits.ts';
import type { ThreadDescription } from './directory.ts';
import type { SystemMemory } from './system-memory.ts';
import { ThreadMemory } from './thread-memory.ts';

/** A thread for one process: it has a number, and room for the process, before it runs. */
export function isolatedThread(memory: SystemMemory): ThreadDescription {
  return {
    thread: memory.newThread(),
    group: null,
    position: 0,
    memory: ThreadMemory.allocate(ISOLATED_PROCESSES_MAX, ISOLATED_RESERVED_PROCESSES_MAX),
  };
}
