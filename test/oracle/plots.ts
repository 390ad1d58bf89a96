/** The plots about one thing each: restarts, the end of a tree, starts, dynamic children, calls of a supervisor. */

import {
  anySupervisor,
  anyWorker,
  ending,
  flatTree,
  forgottenMs,
  look,
  names,
  type Plot,
  pathsOf,
  restarts,
  shortSupervisorMs,
  stubborn,
  supervisor,
  worker,
} from './draw.ts';
import type { Action, Restart, StartOutcome, TreeNode, WorkerNode } from './scenario.ts';

export const plots: Readonly<Record<string, Plot>> = {
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
    const crashes = draw.times(3, 5, (): Action => {
      return { op: 'stop', target: draw.of('root/a', 'root/b'), reason: 'boom' };
    });
    // Rarely: in OTP it really takes that long.
    const rests = new Set(draw.times(1, 2, () => draw.whole(0, crashes.length - 2)));
    const rest: Action = { op: 'sleep', ms: forgottenMs };
    return { root, actions: crashes.flatMap((crash, index) => (rests.has(index) ? [crash, rest] : [crash])) };
  },
};
