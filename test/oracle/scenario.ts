/** What a scenario file says: a supervision tree, and what is done to it. */

export type Restart = 'permanent' | 'transient' | 'temporary';
/** `hold`: waits for the end of the `during` that it came up in, then ends as `error` does. */
export type StartOutcome = 'ok' | 'error' | 'shut' | 'crash' | 'ignore' | 'hold';

interface ChildNode {
  readonly id: string;
  /** Default `'permanent'`. */
  readonly restart?: Restart;
  readonly shutdown?: number | 'brutal_kill' | 'infinity';
  readonly significant?: boolean;
  /** Registered before each init. Not for templates; that of a supervisor must be its id, by which reports call it. */
  readonly name?: string;
}

export interface WorkerNode extends ChildNode {
  readonly type: 'worker';
  /** Traps exits. Default false. */
  readonly trap?: boolean;
  /** What `terminate` does. Default `'quick'`. */
  readonly term?: 'quick' | 'slow' | 'hang' | 'exit' | 'crash';
  /** How the k-th start of the path ends, over all its incarnations; `'ok'` after the last entry. */
  readonly plan?: readonly StartOutcome[];
}

export interface SupervisorNode extends ChildNode {
  readonly type: 'supervisor';
  readonly strategy?: 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'simple_one_for_one';
  /** Default 1. */
  readonly intensity?: number;
  /** In seconds, as OTP has it. Default 3,600: only scenarios about time let a restart be forgotten. */
  readonly period?: number;
  readonly auto_shutdown?: 'never' | 'any_significant' | 'all_significant';
  readonly children: readonly TreeNode[];
}

export type TreeNode = WorkerNode | SupervisorNode;

const targeted = [
  ...(['kill', 'stop', 'crash', 'raise_exit', 'exit_self', 'buddy'] as const),
  ...(['call_stop', 'call_stop_reply', 'call_crash'] as const),
];

export type Targeted = (typeof targeted)[number];

/** What ends a process, or tries to. */
export interface Ending {
  readonly op: Targeted;
  readonly target: string;
  readonly reason: string;
}

/** A call of a supervisor. */
export type SupervisorAction =
  | { readonly op: 'start_child'; readonly sup: string; readonly spec?: TreeNode; readonly name?: string }
  | {
      readonly op: 'terminate_child';
      readonly sup: string;
      readonly child?: string;
      /** Of a dynamic child; its incarnation with that number, or the latest one. */
      readonly name?: string;
      readonly attempt?: number;
    }
  | { readonly op: 'restart_child' | 'delete_child'; readonly sup: string; readonly child: string }
  | { readonly op: 'which' | 'count'; readonly sup: string };

/**
 * Ends a process. If a start with the outcome `hold` comes of it, the calls are sent before that start fails: so its
 * supervisor answers them while the restart is still to be retried. The result is that of the action, then the answers.
 */
export interface During {
  readonly op: 'during';
  readonly action: Ending;
  readonly calls: readonly SupervisorAction[];
}

/** One thing done to the tree. Processes are addressed by path: the latest incarnation is meant. */
export type Action =
  | Ending
  | SupervisorAction
  | During
  | { readonly op: 'ping' | 'link_dead' | 'monitor_dead'; readonly target: string }
  | { readonly op: 'link' | 'unlink' | 'monitor' | 'demonitor'; readonly from: string; readonly to: string }
  | { readonly op: 'sleep'; readonly ms: number };

export interface Scenario {
  readonly id: string;
  readonly class: string;
  readonly root: SupervisorNode;
  readonly actions: readonly Action[];
  /** Lanes per child: the scenario lets siblings die at the same time. */
  readonly per_child?: boolean;
}

/** One action, its result, and what happened, ordered within each lane. */
export interface Step {
  readonly op: string;
  readonly res: string | readonly string[];
  readonly lanes?: Readonly<Record<string, readonly string[]>>;
}

export interface Trace {
  readonly steps: readonly Step[];
  /** Every living supervisor before the root is stopped. */
  readonly final: Readonly<Record<string, { readonly which: readonly string[]; readonly count: string }>>;
  /** What still lives at the end. */
  readonly leaks: readonly string[];
}

/** The fields of each operation; several sets are alternatives. */
const operations: ReadonlyMap<string, readonly (readonly string[])[]> = new Map([
  ...targeted.map((op): [string, string[][]] => [op, [['target', 'reason']]]),
  ...['ping', 'link_dead', 'monitor_dead'].map((op): [string, string[][]] => [op, [['target']]]),
  ...['link', 'unlink', 'monitor', 'demonitor'].map((op): [string, string[][]] => [op, [['from', 'to']]]),
  ...['restart_child', 'delete_child'].map((op): [string, string[][]] => [op, [['sup', 'child']]]),
  ...['which', 'count'].map((op): [string, string[][]] => [op, [['sup']]]),
  [
    'start_child',
    [
      ['sup', 'spec'],
      ['sup', 'name'],
    ],
  ],
  [
    'terminate_child',
    [
      ['sup', 'child'],
      ['sup', 'name'],
    ],
  ],
  ['sleep', [['ms']]],
  ['during', [['action', 'calls']]],
]);

/** Reads one line: a bare scenario, or a recorded one with the trace to expect. Throws with what is wrong. */
export function readLine(line: string): { readonly scenario: Scenario; readonly expected: Trace | undefined } {
  const value: unknown = JSON.parse(line);
  if (!isRecord(value)) throw new TypeError('a scenario is an object');
  if (!('scenario' in value)) return { scenario: checked(value), expected: undefined };
  if (!isRecord(value['scenario'])) throw new TypeError('"scenario" must be an object');
  return { scenario: checked(value['scenario']), expected: value['trace'] as Trace | undefined };
}

function checked(scenario: Readonly<Record<string, unknown>>): Scenario {
  const { id, root, actions } = scenario;
  if (typeof id !== 'string') throw new TypeError('a scenario needs an "id"');
  if (typeof scenario['class'] !== 'string') throw new TypeError(`scenario ${id} needs a "class"`);
  if (!isRecord(root) || root['type'] !== 'supervisor') {
    throw new TypeError(`scenario ${id}: "root" must be a supervisor`);
  }
  checkNode(id, root);
  if (!Array.isArray(actions)) throw new TypeError(`scenario ${id}: "actions" must be a list`);
  actions.forEach((action: unknown, index) => {
    checkAction(`scenario ${id}, action ${index + 1}`, action);
  });
  return scenario as unknown as Scenario;
}

function checkNode(where: string, node: unknown): void {
  if (!isRecord(node) || typeof node['id'] !== 'string') throw new TypeError(`${where}: a child needs an "id"`);
  const path = `${where}/${node['id']}`;
  if (node['type'] === 'worker') return;
  if (node['type'] !== 'supervisor') throw new TypeError(`${path}: "type" must be worker or supervisor`);
  if (node['name'] !== undefined && node['name'] !== node['id']) {
    throw new TypeError(`${path}: the "name" of a supervisor must be its "id"`);
  }
  if (!Array.isArray(node['children'])) throw new TypeError(`${path}: a supervisor needs "children"`);
  for (const child of node['children']) checkNode(path, child);
}

function checkAction(where: string, action: unknown): void {
  if (!isRecord(action)) throw new TypeError(`${where} must be an object`);
  const alternatives = operations.get(String(action['op']));
  if (alternatives === undefined) throw new TypeError(`${where}: no operation '${String(action['op'])}'`);
  if (!alternatives.some((fields) => fields.every((field) => action[field] !== undefined))) {
    throw new TypeError(
      `${where}: '${String(action['op'])}' needs ${alternatives.map((f) => f.join(', ')).join(' or ')}`,
    );
  }
  if (action['op'] === 'during') checkDuring(where, action);
  if (!('spec' in action)) return;
  checkNode(where, action['spec']);
  // Its children report no progress: which supervisors are dynamic must be known before anything starts.
  if (hasDynamic(action['spec'] as TreeNode)) {
    throw new TypeError(`${where}: a simple_one_for_one supervisor must be part of the "root" tree`);
  }
}

function checkDuring(where: string, { action, calls }: Readonly<Record<string, unknown>>): void {
  checkAction(where, action);
  if (!targeted.some((op) => op === (action as Action).op))
    throw new TypeError(`${where}: its "action" must end something`);
  if (!Array.isArray(calls)) throw new TypeError(`${where}: "calls" must be a list`);
  for (const call of calls) {
    checkAction(where, call);
    if (!('sup' in call)) throw new TypeError(`${where}: its "calls" must be calls of a supervisor`);
  }
}

function hasDynamic(node: TreeNode): boolean {
  return node.type === 'supervisor' && (isDynamic(node) || node.children.some(hasDynamic));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The node that a path leads to; below a `simple_one_for_one` supervisor every id stands for the template. */
export function nodeAt(root: SupervisorNode, path: string): TreeNode | undefined {
  const [first, ...ids] = path.split('/');
  return first === root.id ? ids.reduce<TreeNode | undefined>(childOf, root) : undefined;
}

function childOf(node: TreeNode | undefined, id: string): TreeNode | undefined {
  if (node?.type !== 'supervisor') return undefined;
  return isDynamic(node) ? node.children[0] : node.children.find((child) => child.id === id);
}

export function isDynamic(
  node: TreeNode | undefined,
): node is SupervisorNode & { readonly strategy: 'simple_one_for_one' } {
  return node?.type === 'supervisor' && node.strategy === 'simple_one_for_one';
}

/** `root/s` and `x` make `root/s/x`; the top has the empty path. */
export function joinPath(parent: string, id: string): string {
  return parent === '' ? id : `${parent}/${id}`;
}

export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function lastId(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
