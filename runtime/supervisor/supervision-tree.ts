import type { Messaging } from '../kernel/context.ts';
import { Pid } from '../kernel/pid.ts';
import type { SupervisorStart } from './child-spec.ts';
import type { Strategy } from './restart.ts';
import { getChildSpec, whichChildren } from './supervisor.ts';

/** One process of a supervision tree. */
export interface TreeNode {
  readonly id: string;
  /** Undefined for a child that does not run, `'restarting'` while a failed restart is retried. */
  readonly pid: Pid | 'restarting' | undefined;
  readonly type: 'worker' | 'supervisor';
  /** Of a supervisor. */
  readonly strategy?: Strategy;
  /** In start order. */
  readonly children: readonly TreeNode[];
}

/** Reads the tree below a supervisor by asking each one for its children. */
export async function readTree(caller: Pick<Messaging, 'call'>, root: Pid): Promise<TreeNode> {
  return { id: 'root', pid: root, type: 'supervisor', children: await readChildren(caller, root) };
}

async function readChildren(caller: Pick<Messaging, 'call'>, sup: Pid): Promise<TreeNode[]> {
  const rows = [...(await whichChildren(caller, sup))].reverse();
  return Promise.all(
    rows.map(async ({ id, pid, type }): Promise<TreeNode> => {
      if (type === 'worker' || !(pid instanceof Pid)) return { id, pid, type, children: [] };
      // It may end between two questions: then it is shown without children.
      const [spec, children] = await Promise.all([
        getChildSpec(caller, sup, pid).catch(() => ({ error: 'not_found' }) as const),
        readChildren(caller, pid).catch(() => []),
      ]);
      const start = 'ok' in spec ? (spec.ok.start.arg as Partial<SupervisorStart> | undefined) : undefined;
      const strategy = start?.flags?.strategy;
      return { id, pid, type, ...(strategy === undefined ? {} : { strategy }), children };
    }),
  );
}
