/** Random supervision trees for property tests: shapes as data, and the specifications that they stand for. */

import fc from 'fast-check';
import { type ChildSpec, type Context, type RestartType, type Shutdown, supervisor } from '../../runtime/index.ts';
import type { Attempt, SupervisionTrace } from './supervision-trace.ts';

/** The longest a child of a random tree is given to stop, and how long one that cleans up takes. */
export const shutdownMs = 50;
const cleanUpMs = 10;
/** Far longer than it is given; not for ever, since nobody ends it if its supervisor is killed. */
const hangMs = 14 * shutdownMs;
/** The period in which the supervisors of a random tree count restarts. */
export const periodMs = 1_000;

interface WorkerShape {
  readonly restart: RestartType;
  readonly trapExit: boolean;
  readonly shutdown: Shutdown;
  readonly terminate: 'quick' | 'slow' | 'hang' | 'exit' | 'throw';
  readonly plan: readonly Attempt[];
}

export interface SupervisorShape {
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one';
  readonly intensity: number;
  readonly restart: RestartType;
  readonly children: readonly (WorkerShape | SupervisorShape)[];
}

const restart = fc.constantFrom<RestartType>('permanent', 'permanent', 'transient', 'temporary');
const attempt = fc.constantFrom<Attempt>('ok', 'ok', 'throw', 'ignore', { stop: 'refused' });

const worker: fc.Arbitrary<WorkerShape> = fc.record({
  restart,
  trapExit: fc.boolean(),
  shutdown: fc.constantFrom<Shutdown>('brutal_kill', 'infinity', shutdownMs, 0),
  terminate: fc.constantFrom<WorkerShape['terminate']>('quick', 'quick', 'slow', 'hang', 'exit', 'throw'),
  // The first start is good, else hardly a tree would come up.
  plan: fc.array(attempt, { maxLength: 4 }).map((later) => ['ok' as const, ...later]),
});

export const randomTree: fc.Arbitrary<SupervisorShape> = fc.letrec<{ tree: SupervisorShape }>((tie) => ({
  tree: fc.record({
    strategy: fc.constantFrom<SupervisorShape['strategy']>('one_for_one', 'one_for_all', 'rest_for_one'),
    intensity: fc.integer({ min: 0, max: 4 }),
    restart,
    children: fc.array(fc.oneof({ maxDepth: 2, depthSize: 'small' }, worker, tie('tree')), { maxLength: 4 }),
  }),
})).tree;

/** Turns shapes into specifications with ids p0, p1 …, registered under their ids. */
export class TreeBuilder {
  readonly ids: string[] = [];
  private readonly trace: SupervisionTrace;

  constructor(trace: SupervisionTrace) {
    this.trace = trace;
  }

  spec(shape: WorkerShape | SupervisorShape): ChildSpec {
    const id = `p${this.ids.length}`;
    this.ids.push(id);
    if ('children' in shape) {
      const { children, ...options } = shape;
      const specs = children.map((each) => this.spec(each));
      return supervisor(id, { ...options, name: id, periodMs }, specs);
    }
    const { terminate, shutdown, ...rest } = shape;
    const tooLong = terminate === 'hang' && shutdown === 'infinity';
    return this.trace.worker(id, {
      ...rest,
      shutdown: tooLong ? shutdownMs : shutdown,
      terminate: (_reason, ctx) => terminations[terminate](ctx),
    });
  }
}

const terminations: Readonly<Record<WorkerShape['terminate'], (ctx: Context) => unknown>> = {
  quick: () => undefined,
  slow: (ctx) => ctx.receive(() => false, cleanUpMs),
  hang: (ctx) => ctx.receive(() => false, hangMs),
  exit: (ctx) => ctx.exit('other'),
  throw: () => {
    throw new Error('terminate failed');
  },
};
