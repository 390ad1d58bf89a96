import { type ChildSpec, child, supervisor } from '../../runtime/index.ts';
import { isDynamic, joinPath, type SupervisorNode, type TreeNode, type WorkerNode } from './scenario.ts';
import { UpMarker } from './up-marker.ts';
import { OracleWorker } from './worker.ts';

const defaultPeriodS = 3_600;

/** The specification of a node of a scenario's tree below the supervisor with that path. */
export function childSpec(node: TreeNode, parent: string, jitter: number): ChildSpec {
  if (node.type === 'supervisor') return supervisorSpec(node, parent, jitter);
  return child<any>(OracleWorker, [workerArg(node, parent, jitter), node.id], childOptions(node));
}

/** What `startChild` gives to a `simple_one_for_one` supervisor with that template, to start a child of that name. */
export function dynamicArg(template: TreeNode, parent: string, name: string, jitter: number): unknown {
  if (template.type === 'worker') return name;
  const { start } = supervisorSpec({ ...template, id: name }, parent, jitter);
  const path = joinPath(parent, name);
  const { children } = start.arg as { children: readonly ChildSpec[] };
  const marker = child(UpMarker, path, { id: 'up marker', restart: 'temporary' });
  return { ...(start.arg as object), children: [...children, marker] };
}

/** A template lacks what `startChild` adds: of a worker the id, of a supervisor all that it is started with. */
function templateSpec(node: TreeNode, parent: string, jitter: number): ChildSpec {
  const options = childOptions(node);
  if (node.type === 'worker') return child<any>(OracleWorker, workerArg(node, parent, jitter), options);
  const spec = supervisor(node.id, options, []);
  return { ...spec, start: { ...spec.start, arg: undefined } };
}

function workerArg(node: WorkerNode, parent: string, jitter: number): object {
  return { node, parent, jitter };
}

function supervisorSpec(node: SupervisorNode, parent: string, jitter: number): ChildSpec {
  const path = joinPath(parent, node.id);
  const options = {
    ...childOptions(node),
    ...(node.strategy === undefined ? {} : { strategy: node.strategy }),
    ...(node.intensity === undefined ? {} : { intensity: node.intensity }),
    ...(node.auto_shutdown === undefined ? {} : { autoShutdown: node.auto_shutdown }),
    periodMs: (node.period ?? defaultPeriodS) * 1_000,
  };
  const specOf = isDynamic(node) ? templateSpec : childSpec;
  return supervisor(
    node.id,
    options,
    node.children.map((each) => specOf(each, path, jitter)),
  );
}

function childOptions({
  id,
  restart,
  shutdown,
  significant,
  name,
}: TreeNode): Pick<ChildSpec, 'id'> & Partial<Pick<ChildSpec, 'restart' | 'shutdown' | 'significant' | 'name'>> {
  return {
    id,
    ...(restart === undefined ? {} : { restart }),
    ...(shutdown === undefined ? {} : { shutdown }),
    ...(significant === undefined ? {} : { significant }),
    ...(name === undefined ? {} : { name }),
  };
}
