/** What scenarios are drawn from: choices by a seed, and the nodes and actions that the plots have in common. */

import { randoms } from './jitter.ts';
import {
  type Ending,
  joinPath,
  type Restart,
  type Scenario,
  type SupervisorAction,
  type SupervisorNode,
  type Targeted,
  type TreeNode,
  type WorkerNode,
} from './scenario.ts';

/** One class of scenarios. */
export type Plot = (draw: Draw) => Pick<Scenario, 'root' | 'actions' | 'per_child'>;

type Random = (bound: number) => number;

/** Choices of one scenario. */
export class Draw {
  private readonly random: Random;

  constructor(key: string) {
    this.random = randoms(key);
  }

  /** From `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + this.random(high - low + 1);
  }

  /** True in so many of a hundred cases. */
  percent(chance: number): boolean {
    return this.random(100) < chance;
  }

  of<T>(...choices: readonly T[]): T {
    return choices[this.random(choices.length)] as T;
  }

  times<T>(low: number, high: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.whole(low, high) }, (_, index) => make(index));
  }
}

export const restarts = ['permanent', 'permanent', 'transient', 'temporary'] as const;
export const groups = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
export const reasons = ['boom', 'boom', 'normal', 'shutdown', '{shutdown,x}', 'kill'] as const;
export const orderlyReasons = ['normal', 'shutdown', '{shutdown,x}'] as const;
/**
 * Of shutdown times: one that a hanging worker exceeds; one that is enough for three such workers to be killed after
 * theirs, but not for one that is left alone. None is near to what really passes.
 */
export const shortMs = 60;
export const shortSupervisorMs = 350;
export const longMs = 3_000;
/** Restarts of a period of 1 s are forgotten by then, however their times are rounded. */
export const forgottenMs = 2_300;

export function worker(draw: Draw, id: string, more: Partial<WorkerNode> = {}): WorkerNode {
  return {
    id,
    type: 'worker',
    restart: draw.of<Restart>(...restarts),
    ...(draw.percent(40) ? { trap: true } : {}),
    ...more,
  };
}

export function supervisor(
  draw: Draw,
  id: string,
  children: readonly TreeNode[],
  more: Partial<SupervisorNode> = {},
): SupervisorNode {
  return { id, type: 'supervisor', strategy: draw.of(...groups), intensity: draw.whole(0, 4), ...more, children };
}

/** Workers that end badly when they are stopped, or not at all until they are killed. */
export function stubborn(draw: Draw, id: string): WorkerNode {
  const term = draw.of('quick', 'slow', 'exit', 'crash', 'hang', 'hang');
  const shutdown =
    term === 'hang'
      ? draw.of(shortMs, longMs)
      : draw.of<number | 'infinity' | 'brutal_kill'>(longMs, 'infinity', 'brutal_kill');
  return worker(draw, id, { trap: true, term, shutdown });
}

export interface Paths {
  readonly workers: readonly (readonly [path: string, node: WorkerNode])[];
  readonly supervisors: readonly (readonly [path: string, node: SupervisorNode])[];
}

export function pathsOf(node: TreeNode, parent = ''): Paths {
  const path = joinPath(parent, node.id);
  if (node.type === 'worker') return { workers: [[path, node]], supervisors: [] };
  const below = node.strategy === 'simple_one_for_one' ? [] : node.children.map((each) => pathsOf(each, path));
  return {
    workers: below.flatMap(({ workers }) => workers),
    supervisors: [[path, node] as const, ...below.flatMap(({ supervisors }) => supervisors)],
  };
}

/** Something that ends a worker, or would if its exits were not trapped. */
export function ending(draw: Draw, target: string): Ending {
  const op = draw.of<Targeted>(
    ...(['kill', 'kill', 'stop', 'crash', 'raise_exit', 'exit_self', 'buddy'] as const),
    ...(['call_stop', 'call_stop_reply', 'call_crash'] as const),
  );
  const crash = op === 'crash' || op === 'call_crash';
  return { op, target, reason: crash ? draw.of('boom', 'bang') : draw.of(...reasons) };
}

export function anyWorker(draw: Draw, { workers }: Paths): string {
  return draw.of(...workers)[0];
}

export function anySupervisor(draw: Draw, { supervisors }: Paths): string {
  return draw.of(...supervisors)[0];
}

export function look(draw: Draw, sup: string): SupervisorAction {
  return { op: draw.of('which', 'count'), sup };
}

export const names = ['a', 'b', 'c', 'd', 'e'] as const;

export function flatTree(draw: Draw, make: (id: string) => WorkerNode): SupervisorNode {
  return supervisor(draw, 'root', names.slice(0, draw.whole(1, 5)).map(make));
}
