/** Counts the start attempts of each path, over all incarnations of all its parents, on whatever thread they run. */

import { joinPath, type Scenario, type SupervisorAction, type TreeNode } from './scenario.ts';

/** Plain data whose numbers are shared by all threads: it goes with what a worker is started with. */
export interface Attempts {
  readonly paths: readonly string[];
  readonly counts: SharedArrayBuffer;
}

export function attemptsOf(paths: readonly string[]): Attempts {
  return { paths, counts: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * paths.length) };
}

/** The number of this attempt, from 1. */
export function countAttempt({ paths, counts }: Attempts, path: string): number {
  const index = paths.indexOf(path);
  if (index === -1) throw new Error(`nothing of the scenario is at ${path}`);
  return Atomics.add(new Int32Array(counts), index, 1) + 1;
}

/** Every path at which something of a scenario may start. */
export function pathsOf({ root, actions }: Scenario): readonly string[] {
  const paths = new Set<string>();
  const trees = new Map<string, TreeNode>();
  const visit = (node: TreeNode, path: string): void => {
    paths.add(path);
    trees.set(path, node);
    if (node.type === 'worker') return;
    for (const child of node.children) visit(child, joinPath(path, child.id));
  };
  visit(root, root.id);
  const calls = actions.flatMap((action): readonly SupervisorAction[] => {
    if (action.op === 'during') return action.calls;
    return 'sup' in action ? [action] : [];
  });
  for (const action of calls) {
    if (action.op !== 'start_child') continue;
    const { sup, spec, name } = action;
    const sofo = trees.get(sup);
    const node = spec ?? (sofo?.type === 'supervisor' ? sofo.children[0] : undefined);
    if (node !== undefined) visit(node, joinPath(sup, name ?? node.id));
  }
  return [...paths];
}
