/** A system with a trace of its supervision, and in it a supervisor `sup` that its parent does not restart. */

import { type ChildSpec, name, type SupervisorFlags, supervisor } from '../../runtime/index.ts';
import { SupervisionTrace, startUnderRoot } from './supervision-trace.ts';
import { type Cleanup, startTestSystem, type TestSystem } from './test-system.ts';

export interface TracedSystem extends TestSystem {
  readonly trace: SupervisionTrace;
}

export const sup = name<any>('sup');

export async function startTracedSystem(t: Cleanup): Promise<TracedSystem> {
  const system = await startTestSystem(t);
  return { ...system, trace: new SupervisionTrace(t, system.system.name) };
}

/** The trace begins after the start. */
export async function startSup(
  t: Cleanup,
  flags: SupervisorFlags = {},
  children: (trace: SupervisionTrace) => readonly ChildSpec[] = () => [],
): Promise<TracedSystem> {
  const system = await startTracedSystem(t);
  const own = { name: 'sup', restart: 'temporary', ...flags } as const;
  await startUnderRoot(system, supervisor('sup', own, children(system.trace)));
  system.trace.take();
  return system;
}
