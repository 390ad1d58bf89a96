import type { ExitReason } from './exit.ts';

/**
 * An outside resource (socket, child process, file) that belongs to a process. The kernel closes it when its owner
 * exits, for whatever reason, as the BEAM closes the ports of a process (erlang:open_port/2).
 */
export interface Port {
  /** Must release the resource at once and not throw. */
  close(reason: ExitReason): void;
}
