/** The plots about several things at once: names, nested dynamic supervisors, retries, deep trees, links in them. */

import {
  anySupervisor,
  anyWorker,
  type Draw,
  ending,
  longMs,
  look,
  names,
  orderlyReasons,
  type Plot,
  pathsOf,
  restarts,
  shortMs,
  supervisor,
  worker,
} from './draw.ts';
import {
  type Action,
  type Ending,
  joinPath,
  lastId,
  parentPath,
  type Restart,
  type StartOutcome,
  type SupervisorAction,
  type SupervisorNode,
  type TreeNode,
  type WorkerNode,
} from './scenario.ts';

export const widePlots: Readonly<Record<string, Plot>> = {
  names(draw) {
    // In start order.
    const ids = ['a', 'x', 'y', 'b', 'c'];
    const given = new Map(ids.map((id) => [id, draw.of('n', 'm', 'm', undefined)]));
    const leaf = (id: string): WorkerNode => {
      const name = given.get(id);
      if (name === undefined) return worker(draw, id);
      const again = ids.slice(ids.indexOf(id) + 1).some((later) => given.get(later) === name);
      // Mostly the last one with a name is the first to run: else there would be no tree.
      return worker(draw, id, { name, ...(again && draw.percent(90) ? { plan: ['ignore'] } : {}) });
    };
    const s = supervisor(draw, 's', [leaf('x'), leaf('y')], {
      restart: draw.of(...restarts),
      ...(draw.percent(30) ? { name: 's' } : {}),
    });
    const root = supervisor(draw, 'root', [leaf('a'), s, leaf('b'), leaf('c')], { intensity: draw.whole(1, 5) });
    const paths = pathsOf(root);
    const actions = draw.times(5, 10, (): Action => {
      // A supervisor that is killed leaves a tree behind that keeps its names for a while: here all end in order.
      if (draw.percent(50)) return ending(draw, anyWorker(draw, paths));
      const sup = draw.of('root', 'root', 'root/s');
      const child = sup === 'root' ? draw.of('a', 's', 'b', 'c', 'd') : draw.of('x', 'y', 'd');
      if (draw.percent(25)) {
        return { op: 'start_child', sup, spec: worker(draw, child, { name: draw.of('n', 'm', 's') }) };
      }
      return { op: draw.of('terminate_child', 'restart_child', 'restart_child', 'delete_child'), sup, child };
    });
    return { root, actions: [...actions, look(draw, 'root')] };
  },
  pools(draw) {
    const inner = supervisor(draw, 'pool', [worker(draw, 'w')], {
      strategy: 'simple_one_for_one',
      restart: draw.of(...restarts),
    });
    const leaves = ['x', 'y'].slice(0, draw.whole(0, 2)).map((id) => worker(draw, id));
    const template = supervisor(draw, 'group', [...leaves, inner], {
      restart: draw.of(...restarts),
      intensity: draw.whole(0, 2),
      ...(draw.percent(30) ? { shutdown: draw.of<number | 'brutal_kill'>(longMs, 'brutal_kill') } : {}),
    });
    const dyn = supervisor(draw, 'dyn', [template], { strategy: 'simple_one_for_one', restart: draw.of(...restarts) });
    const root = supervisor(draw, 'root', [worker(draw, 'a'), dyn], { intensity: draw.whole(1, 3) });
    const ids = draw.times(1, 3, (index) => `e${index + 1}`);
    const pools = ids.map((id) => `root/dyn/${id}/pool`);
    const start = (sup: string, name: string): Action => ({ op: 'start_child', sup, name });
    const members = pools.flatMap((pool) => draw.times(0, 3, (index) => [pool, `f${index + 1}`] as const));
    const below = [...members.map(([pool, name]) => joinPath(pool, name)), ...pools];
    const workers = ids.flatMap((id) => leaves.map((each) => `root/dyn/${id}/${each.id}`));
    const actions = draw.times(3, 8, (): Action => {
      const name = draw.of(...ids);
      if (draw.percent(50)) return endingOf(draw, draw.of(...below, ...workers, ...workers, 'root/a'), pools);
      if (draw.percent(25)) return { op: 'terminate_child', sup: 'root/dyn', name };
      if (draw.percent(35)) return { op: 'kill', target: `root/dyn/${name}`, reason: draw.of('kill', 'shutdown') };
      if (draw.percent(40)) return { op: 'start_child', sup: draw.of(...pools), name: draw.of('f1', 'f8', 'f9') };
      if (draw.percent(40)) return look(draw, draw.of('root/dyn', ...pools));
      const child = draw.of('x', 'y', 'pool');
      return { op: draw.of('terminate_child', 'restart_child', 'delete_child'), sup: `root/dyn/${name}`, child };
    });
    const starts = [...ids.map((id) => start('root/dyn', id)), ...members.map(([pool, name]) => start(pool, name))];
    return { root, actions: [...starts, ...actions] };
  },
  retry(draw) {
    const plan = (): readonly StartOutcome[] => [
      'ok',
      'hold',
      ...draw.times(0, 3, () => draw.of<StartOutcome>('hold', 'hold', 'error', 'ok', 'ignore')),
    ];
    const leaf = (id: string): WorkerNode =>
      worker(draw, id, { restart: draw.of('permanent', 'transient'), ...(draw.percent(75) ? { plan: plan() } : {}) });
    const ids = names.slice(0, draw.whole(2, 4));
    const root = supervisor(draw, 'root', ids.map(leaf), { intensity: draw.whole(2, 8) });
    const call = (): SupervisorAction => {
      const child = draw.of(...ids, ...ids, 'm');
      if (draw.percent(20)) return look(draw, 'root');
      if (draw.percent(20)) return { op: 'start_child', sup: 'root', spec: worker(draw, child) };
      return {
        op: draw.of('restart_child', 'restart_child', 'delete_child', 'delete_child', 'terminate_child'),
        sup: 'root',
        child,
      };
    };
    const actions = draw.times(2, 5, (): Action => {
      const action = ending(draw, `root/${draw.of(...ids)}`);
      return draw.percent(80) ? { op: 'during', action, calls: draw.times(1, 4, call) } : call();
    });
    return { root, actions: [...actions, look(draw, 'root')] };
  },
  retry_dynamic(draw) {
    const plan = [
      'ok' as const,
      'hold' as const,
      ...draw.times(0, 3, () => draw.of<StartOutcome>('hold', 'error', 'ok')),
    ];
    const template = worker(draw, 'w', { restart: draw.of('permanent', 'transient'), plan });
    const root = supervisor(draw, 'root', [template], {
      strategy: 'simple_one_for_one',
      intensity: draw.whole(2, 8),
    });
    const ids = draw.times(1, 3, (index) => `e${index + 1}`);
    const starts = ids.map((name): Action => ({ op: 'start_child', sup: 'root', name }));
    const call = (): SupervisorAction => {
      const name = draw.of(...ids);
      if (draw.percent(40)) return { op: 'which', sup: 'root' };
      if (draw.percent(35)) return { op: 'terminate_child', sup: 'root', name, attempt: 1 };
      if (draw.percent(40)) return { op: 'start_child', sup: 'root', name: draw.of('e7', 'e8', 'e9') };
      return { op: draw.of('restart_child', 'delete_child'), sup: 'root', child: 'w' };
    };
    const actions = draw.times(1, 4, (): Action => {
      return { op: 'during', action: ending(draw, `root/${draw.of(...ids)}`), calls: draw.times(1, 4, call) };
    });
    // OTP 25 counts the active children wrongly ever after one was terminated that was to be restarted: nobody asks.
    const last: Action[] = [
      { op: 'which', sup: 'root' },
      { op: 'kill', target: 'root', reason: 'kill' },
    ];
    return { root, actions: [...starts, ...actions, ...last] };
  },
  auto(draw) {
    const auto = (): Partial<SupervisorNode> => ({ auto_shutdown: draw.of('any_significant', 'all_significant') });
    const mark = (): { significant?: boolean; restart: Restart } =>
      draw.percent(65) ? { significant: true, restart: draw.of('transient', 'temporary') } : { restart: 'permanent' };
    const leaf = (id: string): WorkerNode => worker(draw, id, mark());
    const dyn = supervisor(draw, 'dyn', [leaf('w')], { strategy: 'simple_one_for_one', ...auto(), ...mark() });
    const t = supervisor(draw, 't', [leaf('u'), leaf('v')], { ...auto(), ...mark() });
    const s = supervisor(draw, 's', [leaf('x'), draw.of(t, dyn), leaf('y')], { ...auto(), ...mark() });
    const root = supervisor(draw, 'root', [leaf('a'), s, leaf('b')], auto());
    const paths = pathsOf(root);
    const dynamics = paths.supervisors.map(([path]) => path).filter((path) => lastId(path) === 'dyn');
    const started = dynamics.flatMap((sup) => draw.times(1, 3, (index) => ({ sup, name: `e${index + 1}` })));
    const targets = [...paths.workers.map(([path]) => path), ...started.map(({ sup, name }) => joinPath(sup, name))];
    const actions = draw.times(3, 8, (): Action => {
      const target = draw.of(...targets);
      if (draw.percent(50)) return { op: draw.of('stop', 'call_stop'), target, reason: draw.of(...orderlyReasons) };
      if (draw.percent(70)) return ending(draw, target);
      const [sup, node] = draw.of(...paths.supervisors);
      if (sup !== 'root' && draw.percent(30)) return { op: 'kill', target: sup, reason: 'kill' };
      if (node.strategy === 'simple_one_for_one') return look(draw, sup);
      const child = draw.of(...node.children).id;
      return { op: draw.of('terminate_child', 'restart_child', 'delete_child'), sup, child };
    });
    return { root, actions: [...started.map((each): Action => ({ op: 'start_child', ...each })), ...actions] };
  },
  deep(draw) {
    const grow = (id: string, depth: number): SupervisorNode => {
      const children = names.slice(0, draw.whole(1, 3)).map((name, index): TreeNode => {
        // The first one goes down as far as the tree goes; of the others some do.
        const further = depth < 5 && (index === 0 ? draw.percent(85) : draw.percent(20));
        return further ? grow(name, depth + 1) : worker(draw, name);
      });
      const rest = depth === 1 ? {} : { restart: draw.of<Restart>(...restarts) };
      return supervisor(draw, id, children, { intensity: draw.whole(0, 3), ...rest });
    };
    const root = grow('root', 1);
    const paths = pathsOf(root);
    const actions = draw.times(4, 9, (): Action => {
      if (draw.percent(60)) return ending(draw, anyWorker(draw, paths));
      const [sup, { children }] = draw.of(...paths.supervisors);
      if (draw.percent(25)) return { op: 'kill', target: sup, reason: draw.of('kill', 'kill', 'shutdown', 'boom') };
      if (draw.percent(20)) return look(draw, sup);
      const child = draw.of(...children).id;
      return { op: draw.of('terminate_child', 'restart_child', 'restart_child', 'delete_child'), sup, child };
    });
    return { root, actions };
  },
  links(draw) {
    const leaf = (id: string): WorkerNode => worker(draw, id, draw.percent(70) ? { trap: true } : {});
    const s = supervisor(draw, 's', [leaf('x'), leaf('y')], { restart: draw.of(...restarts) });
    const t = supervisor(draw, 't', [leaf('u'), leaf('v')], { restart: draw.of(...restarts) });
    const root = supervisor(draw, 'root', [leaf('a'), s, leaf('b'), t], { intensity: draw.whole(3, 9) });
    const paths = pathsOf(root);
    const trapping = paths.workers.filter(([, { trap }]) => trap === true).map(([path]) => path);
    const connect = (): Action => {
      const [from, to] = [anyWorker(draw, paths), anyWorker(draw, paths)];
      if (draw.percent(30)) return { op: draw.of('monitor', 'monitor', 'demonitor'), from, to };
      // A link to one that does not trap would let two of them die in an order that nobody promises.
      if (trapping.length < 2) return { op: 'ping', target: from };
      return { op: draw.of('link', 'link', 'link', 'unlink'), from: draw.of(...trapping), to: draw.of(...trapping) };
    };
    const actions = draw.times(3, 6, (): Action => {
      if (draw.percent(70)) return ending(draw, anyWorker(draw, paths));
      const sup = anySupervisor(draw, paths);
      if (sup === 'root') return { op: 'terminate_child', sup, child: draw.of('a', 's', 'b', 't') };
      return draw.percent(50)
        ? { op: 'kill', target: sup, reason: 'kill' }
        : { op: 'restart_child', sup: parentPath(sup), child: lastId(sup) };
    });
    const connected = actions.flatMap((action) => [...draw.times(1, 3, connect), action]);
    return { root, actions: [...draw.times(1, 3, connect), ...connected] };
  },
  patience(draw) {
    const slow = (id: string): WorkerNode =>
      worker(draw, id, {
        trap: true,
        term: draw.of('slow', 'slow', 'quick', 'exit'),
        shutdown: draw.of<number | 'infinity'>('infinity', longMs),
      });
    // One only: it takes its time whenever its supervisor is stopped.
    const hanging = worker(draw, 'h', {
      trap: true,
      term: 'hang',
      shutdown: draw.of<number | 'infinity'>('infinity', 'infinity', shortMs),
    });
    const endless = { shutdown: 'infinity', restart: draw.of<Restart>('permanent', 'transient') } as const;
    const dyn = supervisor(draw, 'dyn', [slow('w')], { ...endless, strategy: 'simple_one_for_one' });
    const t = supervisor(draw, 't', draw.percent(50) ? [hanging, slow('u')] : [slow('u'), slow('v')], endless);
    const s = supervisor(draw, 's', [slow('x'), t, dyn], { ...endless, intensity: draw.whole(1, 3) });
    const root = supervisor(draw, 'root', [slow('a'), s, slow('b')], { intensity: draw.whole(1, 3) });
    const paths = pathsOf(root);
    const ids = draw.times(1, 3, (index) => `e${index + 1}`);
    const actions = draw.times(1, 3, (): Action => {
      if (draw.percent(30)) return { op: 'terminate_child', sup: 'root', child: 's' };
      if (draw.percent(30)) return { op: 'restart_child', sup: 'root', child: 's' };
      if (draw.percent(30)) return { op: 'terminate_child', sup: 'root/s', child: draw.of('x', 't', 'dyn') };
      return ending(draw, draw.percent(30) ? `root/s/dyn/${draw.of(...ids)}` : anyWorker(draw, paths));
    });
    return {
      root,
      actions: [...ids.map((name): Action => ({ op: 'start_child', sup: 'root/s/dyn', name })), ...actions],
    };
  },
};

/** Ends a worker as any, a supervisor by `kill`: it traps the rest. */
function endingOf(draw: Draw, target: string, supervisors: readonly string[]): Ending {
  return supervisors.includes(target) ? { op: 'kill', target, reason: 'kill' } : ending(draw, target);
}
