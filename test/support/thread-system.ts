/** A system with worker threads for one test, and what a test asks of it. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  channels,
  type Pid,
  type StartOptions,
  type System,
  type SystemOptions,
  startSystem,
  type ThreadExit,
} from '../../runtime/index.ts';
import { type Cleanup, systemName } from './test-system.ts';
import { Probe, type ProbeProtocol, type Signal } from './thread-probe.ts';

export type ProbePid = Pid<ProbeProtocol>;

/** Stopped after the test. */
export async function startThreads(t: Cleanup, options: Partial<SystemOptions> = {}): Promise<System> {
  const system = await startSystem({
    name: systemName(),
    threads: { cpu: 2 },
    // On a machine with much to do a thread may seem not to yield: where processes are must not depend on it.
    workers: { busyMs: 0 },
    children: [],
    ...options,
  });
  t.after(() => system.stop());
  return system;
}

export async function startProbe(
  system: System,
  options: StartOptions = {},
  start: Parameters<typeof system.start>[1] = undefined,
): Promise<ProbePid> {
  const started = await system.start<ProbeProtocol, any>(Probe, start, options);
  if (started === 'ignore' || 'error' in started) throw new Error(`no probe: ${JSON.stringify(started)}`);
  return started.ok;
}

/** Waits until something holds, looking again at every turn of the event loop. */
export async function until<T>(find: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The signals that a probe has got, when there are that many. */
export function signalsOf(system: System, probe: ProbePid, count: number): Promise<readonly Signal[]> {
  return until(async () => {
    const signals = await system.call(probe, 'signals');
    return signals.length >= count ? signals : undefined;
  });
}

/** Whoever has the name, once that is another one than before. */
export function successorOf(system: System, name: string, before: Pid): Promise<Pid> {
  return until(() => {
    const now = system.whereis(name);
    return now === before ? undefined : now;
  });
}

/** The ends of worker threads of a system. */
export function threadExits(t: Cleanup, system: System): ThreadExit[] {
  const exits: ThreadExit[] = [];
  const listener = (event: unknown): void => {
    if ((event as ThreadExit).system === system.name) exits.push(event as ThreadExit);
  };
  subscribe(channels.threadExit, listener);
  t.after(() => unsubscribe(channels.threadExit, listener));
  return exits;
}
