/**
 * Scenarios of our own making, determined by a seed: what `recorded.jsonl` holds was generated here and then recorded
 * from Erlang/OTP. They keep to what has one outcome whatever the timing: see README.md.
 */

import { randoms } from './jitter.ts';
import type {
  Action,
  Restart,
  Scenario,
  StartOutcome,
  SupervisorNode,
  Targeted,
  TreeNode,
  WorkerNode,
} from './scenario.ts';
import { joinPath } from './scenario.ts';

type Random = (bound: number) => number;
type Plot = (draw: Draw) => Pick<Scenario, 'root' | 'actions' | 'per_child'>;

/** Choices of one scenario. */
class Draw {
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

const restarts = ['permanent', 'permanent', 'transient', 'temporary'] as const;
const groups = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const reasons = ['boom', 'boom', 'normal', 'shutdown', '{shutdown,x}', 'kill'] as const;
/** Of shutdown times: one that a hanging worker exceeds, one that a supervisor of such a worker exceeds. */
const shortMs = 60;
const shortSupervisorMs = 150;
const longMs = 3_000;
/** Restarts of a period of 1 s are forgotten by then, however their times are rounded. */
const forgottenMs = 2_300;

function worker(draw: Draw, id: string, more: Partial<WorkerNode> = {}): WorkerNode {
  return {
    id,
    type: 'worker',
    restart: draw.of<Restart>(...restarts),
    ...(draw.percent(40) ? { trap: true } : {}),
    ...more,
  };
}

function supervisor(
  draw: Draw,
  id: string,
  children: readonly TreeNode[],
  more: Partial<SupervisorNode> = {},
): SupervisorNode {
  return { id, type: 'supervisor', strategy: draw.of(...groups), intensity: draw.whole(0, 4), ...more, children };
}

/** Workers that end badly when they are stopped, or not at all until they are killed. */
function stubborn(draw: Draw, id: string): WorkerNode {
  const term = draw.of('quick', 'slow', 'exit', 'crash', 'hang', 'hang');
  const shutdown =
    term === 'hang'
      ? draw.of(shortMs, longMs)
      : draw.of<number | 'infinity' | 'brutal_kill'>(longMs, 'infinity', 'brutal_kill');
  return worker(draw, id, { trap: true, term, shutdown });
}

interface Paths {
  readonly workers: readonly (readonly [path: string, node: WorkerNode])[];
  readonly supervisors: readonly (readonly [path: string, node: SupervisorNode])[];
}

function pathsOf(node: TreeNode, parent = ''): Paths {
  const path = joinPath(parent, node.id);
  if (node.type === 'worker') return { workers: [[path, node]], supervisors: [] };
  const below = node.strategy === 'simple_one_for_one' ? [] : node.children.map((each) => pathsOf(each, path));
  return {
    workers: below.flatMap(({ workers }) => workers),
    supervisors: [[path, node] as const, ...below.flatMap(({ supervisors }) => supervisors)],
  };
}

/** Something that ends a worker, or would if its exits were not trapped. */
function ending(draw: Draw, target: string): Action {
  const op = draw.of<Targeted>(
    ...(['kill', 'kill', 'stop', 'crash', 'raise_exit', 'exit_self', 'buddy'] as const),
    ...(['call_stop', 'call_stop_reply', 'call_crash'] as const),
  );
  const crash = op === 'crash' || op === 'call_crash';
  return { op, target, reason: crash ? draw.of('boom', 'bang') : draw.of(...reasons) };
}

function anyWorker(draw: Draw, { workers }: Paths): string {
  return draw.of(...workers)[0];
}

function anySupervisor(draw: Draw, { supervisors }: Paths): string {
  return draw.of(...supervisors)[0];
}

function look(draw: Draw, sup: string): Action {
  return { op: draw.of('which', 'count'), sup };
}

const names = ['a', 'b', 'c', 'd', 'e'] as const;

function flatTree(draw: Draw, make: (id: string) => WorkerNode): SupervisorNode {
  return supervisor(draw, 'root', names.slice(0, draw.whole(1, 5)).map(make));
}

const plots: Readonly<Record<string, Plot>> = {
  restart(draw) {
    const root = flatTree(draw, (id) => worker(draw, id));
    const paths = pathsOf(root);
    return { root, actions: [...draw.times(3, 8, () => ending(draw, anyWorker(draw, paths))), look(draw, 'root')] };
  },
  shutdown(draw) {
    const inner = names.slice(0, draw.whole(1, 3)).map((id) => stubborn(draw, id));
    const shutdown = draw.of<number | 'infinity' | 'brutal_kill'>(shortSupervisorMs, 'infinity', 'brutal_kill');
    const s = supervisor(draw, 's', inner, { shutdown, restart: draw.of(...restarts) });
    const root = supervisor(draw, 'root', [stubborn(draw, 'p'), s, stubborn(draw, 'q')]);
    const paths = pathsOf(root);
    const actions = draw.times(1, 4, (): Action => {
      const path = anySupervisor(draw, paths);
      if (draw.percent(30)) return { op: 'kill', target: path, reason: draw.of('kill', 'shutdown') };
      if (draw.percent(40)) return { op: 'terminate_child', sup: 'root', child: draw.of('p', 's', 'q') };
      return ending(draw, anyWorker(draw, paths));
    });
    return { root, actions };
  },
  escalation(draw) {
    const leaf = (id: string): WorkerNode => worker(draw, id, { restart: draw.of('permanent', 'transient') });
    const low = { intensity: draw.whole(0, 1) };
    const t = supervisor(draw, 't', [leaf('u'), leaf('v')], { ...low, restart: draw.of(...restarts) });
    const s = supervisor(draw, 's', [leaf('x'), t, leaf('y')], { ...low, restart: draw.of(...restarts) });
    const root = supervisor(draw, 'root', [leaf('a'), s, leaf('b')], { intensity: draw.whole(0, 3) });
    const paths = pathsOf(root);
    return { root, actions: draw.times(4, 9, () => ending(draw, anyWorker(draw, paths))) };
  },
  start(draw) {
    const plan = (first: StartOutcome): readonly StartOutcome[] => [
      first,
      ...draw.times(1, 4, () => draw.of<StartOutcome>('ok', 'ok', 'error', 'crash', 'shut', 'ignore')),
    ];
    const leaf = (id: string): WorkerNode => {
      const first = draw.percent(7) ? draw.of<StartOutcome>('error', 'crash', 'shut', 'ignore') : 'ok';
      return worker(draw, id, draw.percent(60) ? { plan: plan(first) } : {});
    };
    const s = supervisor(draw, 's', names.slice(0, draw.whole(1, 3)).map(leaf), { restart: draw.of(...restarts) });
    const root = supervisor(draw, 'root', [leaf('p'), s, leaf('q')], { intensity: draw.whole(1, 6) });
    const paths = pathsOf(root);
    const actions = draw.times(3, 7, (): Action => {
      if (draw.percent(75)) return ending(draw, anyWorker(draw, paths));
      if (draw.percent(50)) return { op: 'restart_child', sup: 'root', child: draw.of('p', 's', 'q') };
      return { op: 'terminate_child', sup: 'root', child: draw.of('p', 's', 'q') };
    });
    return { root, actions: [...actions, look(draw, 'root')] };
  },
  dynamic(draw) {
    const failures = draw.times(0, 3, () => draw.of<StartOutcome>('ok', 'error', 'crash', 'shut'));
    const plan = failures.length === 0 ? {} : { plan: ['ok' as const, ...failures] };
    const plain = draw.percent(60) ? worker(draw, 'w', plan) : { ...stubborn(draw, 'w'), ...plan };
    const auto = draw.percent(25);
    const significant = { significant: true, restart: draw.of<Restart>('transient', 'temporary') };
    const dyn = supervisor(draw, 'dyn', [auto ? { ...plain, ...significant } : plain], {
      strategy: 'simple_one_for_one',
      restart: draw.of(...restarts),
      ...(auto ? { auto_shutdown: draw.of('any_significant', 'all_significant') } : {}),
    });
    const root = supervisor(draw, 'root', [worker(draw, 'a'), dyn, worker(draw, 'b')], { intensity: 3 });
    const ids = draw.times(1, 4, (index) => `e${index + 1}`);
    const starts = ids.map((name): Action => ({ op: 'start_child', sup: 'root/dyn', name }));
    const actions = draw.times(2, 6, (): Action => {
      const name = draw.of(...ids);
      if (draw.percent(55)) return ending(draw, `root/dyn/${name}`);
      if (draw.percent(45)) return { op: 'terminate_child', sup: 'root/dyn', name };
      if (draw.percent(30)) return { op: draw.of('restart_child', 'delete_child'), sup: 'root/dyn', child: name };
      if (draw.percent(30)) return { op: 'start_child', sup: 'root/dyn', name };
      return draw.percent(50) ? look(draw, 'root/dyn') : { op: 'kill', target: 'root/dyn', reason: 'kill' };
    });
    return { root, actions: [...starts, ...actions] };
  },
  significant(draw) {
    const leaf = (id: string): WorkerNode => {
      if (draw.percent(40)) return worker(draw, id);
      return worker(draw, id, { restart: draw.of('transient', 'temporary'), significant: true });
    };
    const inner = { auto_shutdown: draw.of('any_significant', 'all_significant') } as const;
    const s = supervisor(draw, 's', names.slice(0, draw.whole(1, 4)).map(leaf), {
      ...inner,
      restart: draw.of('transient', 'temporary'),
      significant: true,
    });
    const root = supervisor(draw, 'root', [leaf('p'), s, leaf('q')], {
      auto_shutdown: draw.of('any_significant', 'all_significant'),
    });
    const paths = pathsOf(root);
    const actions = draw.times(3, 7, (): Action => {
      if (draw.percent(85)) return ending(draw, anyWorker(draw, paths));
      return { op: draw.of('terminate_child', 'restart_child'), sup: 'root', child: draw.of('p', 's', 'q') };
    });
    return { root, actions };
  },
  signals(draw) {
    const root = flatTree(draw, (id) => worker(draw, id, draw.percent(70) ? { trap: true } : {}));
    const paths = pathsOf({ ...root, intensity: 9 });
    const trapping = paths.workers.filter(([, { trap }]) => trap === true).map(([path]) => path);
    const actions = draw.times(5, 10, (): Action => {
      const target = anyWorker(draw, paths);
      if (draw.percent(15)) return { op: draw.of('link_dead', 'monitor_dead'), target };
      if (draw.percent(45)) return ending(draw, target);
      if (draw.percent(35)) return { op: draw.of('monitor', 'demonitor'), from: target, to: anyWorker(draw, paths) };
      // A link to one that does not trap would let two siblings die in an order that nobody promises.
      if (trapping.length < 2) return { op: 'ping', target };
      return { op: draw.of('link', 'link', 'unlink'), from: draw.of(...trapping), to: draw.of(...trapping) };
    });
    return { root: { ...root, intensity: 9 }, actions };
  },
  children(draw) {
    const root = flatTree(draw, (id) => worker(draw, id, draw.percent(20) ? { plan: ['ok', 'error', 'ignore'] } : {}));
    const added = (id: string): TreeNode => {
      if (draw.percent(60))
        return worker(draw, id, draw.percent(30) ? { plan: [draw.of('error', 'ignore', 'crash')] } : {});
      const x = worker(draw, 'x', draw.percent(30) ? { plan: [draw.of('error', 'shut')] } : {});
      return supervisor(draw, id, [x, worker(draw, 'y')], { restart: draw.of(...restarts) });
    };
    const ids = [...root.children.map(({ id }) => id), 'm', 'n'];
    const actions = draw.times(6, 14, (): Action => {
      const child = draw.of(...ids, 'nobody');
      if (draw.percent(25)) return { op: 'start_child', sup: 'root', spec: added(draw.of(...ids, 'm', 'n')) };
      if (draw.percent(30)) return { op: 'terminate_child', sup: 'root', child };
      if (draw.percent(35)) return { op: 'restart_child', sup: 'root', child };
      if (draw.percent(40)) return { op: 'delete_child', sup: 'root', child };
      if (draw.percent(40)) return look(draw, 'root');
      const leaf = draw.percent(40) ? `root/${child}/${draw.of('x', 'y')}` : `root/${child}`;
      return draw.percent(25)
        ? { op: 'kill', target: leaf, reason: draw.of('kill', 'boom') }
        : { op: 'kill', target: leaf, reason: 'kill' };
    });
    return { root: { ...root, intensity: 4 }, actions };
  },
  period(draw) {
    const leaf = (id: string): WorkerNode => worker(draw, id, { restart: 'permanent' });
    const root = supervisor(draw, 'root', [leaf('a'), leaf('b')], { intensity: draw.whole(1, 2), period: 1 });
    const actions = draw.times(3, 5, (): Action[] => {
      const crash: Action = { op: 'stop', target: draw.of('root/a', 'root/b'), reason: 'boom' };
      return draw.percent(50) ? [crash, { op: 'sleep', ms: forgottenMs }] : [crash];
    });
    return { root, actions: actions.flat() };
  },
};

/** That many scenarios, of each class in turn. */
export function generate(seed: number, count: number): Scenario[] {
  return Array.from({ length: count }, (_, index) => generateOne(seed, index + 1));
}

/** The scenario with that number, from 1. */
export function generateOne(seed: number, number: number): Scenario {
  const classes = Object.entries(plots);
  const [name, plot] = classes[(number - 1) % classes.length] as [string, Plot];
  const id = `g${seed}-${String(number).padStart(4, '0')}`;
  return { id, class: name, ...plot(new Draw(id)) };
}
