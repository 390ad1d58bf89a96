import type { BehaviourName, Code } from '../kernel/behaviour.ts';
import { type ProcessOptions, processOptions, type StartOptions } from '../kernel/context.ts';
import { BadArgError } from '../kernel/errors.ts';
import type { Pid, Ref } from '../kernel/pid.ts';
import type { Process } from '../kernel/process.ts';
import type { Tie } from '../kernel/remote.ts';

/** What a thread has to know to run a process for another one: plain data. */
export interface SpawnRequest {
  readonly behaviour: BehaviourName;
  readonly arg: unknown;
  /** Its parent first. */
  readonly ancestors: readonly Pid[];
  readonly options: ProcessOptions & { readonly name?: string; readonly debug?: StartOptions['debug'] };
  readonly link: boolean;
  readonly monitor: Ref | undefined;
  /** Whom to tell how init went. */
  readonly ack?: Ref;
}

export function spawnRequest(parent: Process, code: Code, arg: unknown, started: StartOptions & Tie): SpawnRequest {
  if (typeof code === 'function') {
    const what = code.name === '' ? 'a function' : `the function '${code.name}'`;
    throw new BadArgError(
      `${what} cannot go to another thread; export a behaviour, such as a genServer, and spawn that`,
    );
  }
  const { name, debug } = started;
  if (typeof name === 'object') {
    throw new BadArgError('a name in a registry cannot be given on another thread; register there, in init');
  }
  return {
    behaviour: { module: code.module, exportName: code.exportName },
    arg,
    ancestors: [parent.pid, ...parent.ancestors],
    options: {
      ...processOptions(started),
      ...(name === undefined ? {} : { name }),
      ...(debug === undefined ? {} : { debug }),
    },
    link: started.link === true,
    monitor: started.monitor,
  };
}
