import { child } from '../../runtime/index.ts';
import type { ClientTransport } from '../client-transport.ts';
import {
  CHILD_PROCESS_LIMITS,
  type ChildProcessLimits,
  DRAIN_MARGIN_MS,
  resolveLimits,
  TransportOptionError,
} from '../limits.ts';
import { ChildCarrier } from './child-carrier.ts';
import { childEnvironment } from './child-process.ts';

/** Options of `childProcess`: what to run, and any bound of `ChildProcessLimits`. */
export interface ChildProcessOptions extends Partial<ChildProcessLimits> {
  /** A program: a path, or a name in `PATH`. No shell reads it; on Windows a script needs its interpreter here. */
  readonly command: string;
  readonly args?: readonly string[];
  /** Where it runs. Default: where this program does. */
  readonly cwd?: string;
  /**
   * Its environment beside `PATH`, `HOME`, `USER` and their like (`TEMP`, `APPDATA` … on Windows). Nothing else of
   * this program's environment reaches it: there may be secrets in it.
   */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A server as a child process, which talks in lines on its standard streams (MCP, transports: stdio). What it writes
 * to its standard error is reported as it comes.
 *
 * It gets a process group of its own. A stop is a ladder: the end of its input, after `endOfInputMs` SIGTERM to the
 * group, after `sigtermMs` SIGKILL. When it has exited, what it left in its group is killed. If this program dies,
 * however that comes, a guard in the group goes down the same ladder (Linux, macOS: a shell that waits on a pipe; times
 * round up to seconds). On Windows there is no guard and no group: the child sees the end of its input, and a stop ends
 * it and its descendants at once, with `taskkill`. Who leaves the group (`setsid`) is out of reach.
 *
 * Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) if an option is not what it must be.
 */
export function childProcess(options: ChildProcessOptions): ClientTransport {
  const { command, args = [], cwd, env = {} } = options;
  if (typeof command !== 'string' || command === '') {
    throw new TransportOptionError('command', 'must be the name or path of a program');
  }
  if (!Array.isArray(args) || args.some((each) => typeof each !== 'string')) {
    throw new TransportOptionError('args', 'must be an array of texts');
  }
  const limits = resolveLimits(CHILD_PROCESS_LIMITS, options);
  const start = { command: { command, args, cwd, env: childEnvironment(env) }, limits };
  return {
    kind: 'stream',
    target: [command, ...args].join(' '),
    carrier: child(ChildCarrier, start as never, {
      id: 'carrier',
      restart: 'temporary',
      shutdown: limits.endOfInputMs + limits.sigtermMs + DRAIN_MARGIN_MS,
    }),
  };
}
