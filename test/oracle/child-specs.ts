import { type ChildSpec, child, supervisor } from '../../runtime/index.ts';
import { joinPath, type SupervisorNode, type TreeNode, type WorkerNode } from './scenario.ts';
import { OracleWorker } from './worker.ts';

const defaultPeriodS = 3_600;

/** The specification of a node of a scenario's tree below the supervisor with that path. */
export function childSpec(node: TreeNode, parent: string, jitter: number): ChildSpec {
  return node.type === 'worker' ? workerSpec(node, parent, jitter, false) : supervisorSpec(node, parent, jitter);
}

/** The template of a `simple_one_for_one` supervisor lacks the id, which `startChild` adds. */
function workerSpec(node: WorkerNode, parent: string, jitter: number, template: boolean): ChildSpec {
  const own = { node, parent, jitter };
  return child<any>(OracleWorker, template ? own : [own, node.id], childOptions(node));
}

function supervisorSpec(node: SupervisorNode, parent: string, jitter: number): ChildSpec {
  const path = joinPath(parent, node.id);
  const dynamic = node.strategy === 'simple_one_for_one';
  const options = {
    ...childOptions(node),
    ...(node.strategy === undefined ? {} : { strategy: node.strategy }),
    ...(node.intensity === undefined ? {} : { intensity: node.intensity }),
    ...(node.auto_shutdown === undefined ? {} : { autoShutdown: node.auto_shutdown }),
    periodMs: (node.period ?? defaultPeriodS) * 1_000,
  };
  const children = node.children.map((each) =>
    dynamic && each.type === 'worker' ? workerSpec(each, path, jitter, true) : childSpec(each, path, jitter),
  );
  return supervisor(node.id, options, children);
}

function childOptions({
  id,
  restart,
  shutdown,
  significant,
}: TreeNode): Pick<ChildSpec, 'id'> & Partial<Pick<ChildSpec, 'restart' | 'shutdown' | 'significant'>> {
  return {
    id,
    ...(restart === undefined ? {} : { restart }),
    ...(shutdown === undefined ? {} : { shutdown }),
    ...(significant === undefined ? {} : { significant }),
  };
}
