import { type ChildSpec, child, supervisor } from '../../runtime/index.ts';
import type { Attempts } from './attempts.ts';
import type { Place } from './places.ts';
import { isDynamic, joinPath, type SupervisorNode, type TreeNode, type WorkerNode } from './scenario.ts';
import { UpMarker } from './up-marker.ts';
import { OracleWorker, type WorkerArg } from './worker.ts';

const defaultPeriodS = 3_600;

/** What the processes of one replay have in common. */
export interface Making {
  /** The seed of the delays that workers make; 0 for none. */
  readonly jitter: number;
  readonly attempts: Attempts;
  /** Before each registered name, so that scenarios that share a system do not share names. */
  readonly namePrefix: string;
  /** Where the next process is to run. */
  place(): Place;
}

/** The specification of a node of a scenario's tree below the supervisor with that path. */
export function childSpec(node: TreeNode, parent: string, making: Making): ChildSpec {
  if (node.type === 'supervisor') return supervisorSpec(node, parent, making);
  return child<any>(OracleWorker, [workerArg(node, parent, making), node.id], childOptions(node, making));
}

/** What `startChild` gives to a `simple_one_for_one` supervisor with that template, to start a child of that name. */
export function dynamicArg(template: TreeNode, parent: string, name: string, making: Making): unknown {
  if (template.type === 'worker') return name;
  const { start } = supervisorSpec({ ...template, id: name }, parent, making);
  const path = joinPath(parent, name);
  const { children } = start.arg as { children: readonly ChildSpec[] };
  const marker = child(UpMarker, path, { id: 'up marker', restart: 'temporary' });
  return { ...(start.arg as object), children: [...children, marker] };
}

/** A template lacks what `startChild` adds: of a worker the id, of a supervisor all that it is started with. */
function templateSpec(node: TreeNode, parent: string, making: Making): ChildSpec {
  const options = childOptions(node, making);
  if (node.type === 'worker') return child<any>(OracleWorker, workerArg(node, parent, making), options);
  const spec = supervisor(node.id, options, []);
  return { ...spec, start: { ...spec.start, arg: undefined } };
}

function workerArg(node: WorkerNode, parent: string, { jitter, attempts }: Making): WorkerArg {
  return { node, parent, jitter, attempts };
}

function supervisorSpec(node: SupervisorNode, parent: string, making: Making): ChildSpec {
  const path = joinPath(parent, node.id);
  const options = {
    ...childOptions(node, making),
    ...(node.strategy === undefined ? {} : { strategy: node.strategy }),
    ...(node.intensity === undefined ? {} : { intensity: node.intensity }),
    ...(node.auto_shutdown === undefined ? {} : { autoShutdown: node.auto_shutdown }),
    periodMs: (node.period ?? defaultPeriodS) * 1_000,
  };
  const specOf = isDynamic(node) ? templateSpec : childSpec;
  return supervisor(
    node.id,
    options,
    node.children.map((each) => specOf(each, path, making)),
  );
}

function childOptions(
  { id, restart, shutdown, significant, name }: TreeNode,
  { namePrefix, place }: Making,
): Pick<ChildSpec, 'id'> & Partial<Pick<ChildSpec, 'restart' | 'shutdown' | 'significant' | 'name'>> & Place {
  return {
    id,
    ...place(),
    ...(restart === undefined ? {} : { restart }),
    ...(shutdown === undefined ? {} : { shutdown }),
    ...(significant === undefined ? {} : { significant }),
    ...(name === undefined ? {} : { name: `${namePrefix}${name}` }),
  };
}
