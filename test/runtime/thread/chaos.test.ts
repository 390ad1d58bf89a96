/**
 * Faults of every kind, at random, in a tree whose supervisors and servers are spread over threads; then all must be
 * whole, and nothing left over. `CHAOS_SEED=7` replays a run (faults and victims; who runs when is up to the
 * threads), `CHAOS=full` is 2,000 servers on four threads and 500 faults, as `npm run chaos` runs it.
 */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { name, type Pid, type System, type ThreadExit, type TreeNode } from '../../../runtime/index.ts';
import { type Census, CensusTaker, type ChaosProtocol, chaosTree } from '../../support/chaos-tree.ts';
import { Fortune } from '../../support/fortune.ts';
import { startThreads, threadExits, until } from '../../support/thread-system.ts';
import { countWorkers } from '../../support/worker-count.ts';

const seed = Number(process.env['CHAOS_SEED'] ?? 4);
const isFull = process.env['CHAOS'] === 'full';
const size = isFull ? { servers: 2_000, threads: 4, faults: 500 } : { servers: 200, threads: 2, faults: 80 };

/** How often each fault, of 100; those that take a thread along are few, since each costs seconds. */
const weights = {
  kill: 44,
  fail: 22,
  failLater: 8,
  rejectLater: 8,
  killSupervisor: 10,
  exitThread: 4,
  loop: 2,
  allocate: 2,
};
const w = name<ChaosProtocol>;

/** A loop costs that. Long enough for a thread that has to wait for a core, and then collects its garbage. */
const stallMs = isFull ? 3_000 : 1_500;

test(`${size.faults} random faults on ${size.threads} threads leave the tree whole, and nothing behind`, async (t) => {
  t.diagnostic(`CHAOS_SEED=${seed}`);
  const workers = countWorkers(t);
  const { servers } = size;
  const supervisors = Math.ceil(servers / 8);
  const groups = Math.ceil(supervisors / 8);
  const limits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 };
  const system = await startThreads(t, {
    threads: { cpu: { count: size.threads, resourceLimits: limits } },
    workers: { stallMs },
    intensity: 100_000,
    children: chaosTree(servers, seed),
  });
  const exits = threadExits(t, system);
  const names = [
    ...Array.from({ length: servers }, (_, i) => `w${i}`),
    ...Array.from({ length: supervisors }, (_, i) => `m${i}`),
    ...Array.from({ length: groups }, (_, i) => `s${i}`),
  ];
  await calm(system, names);
  const before = await census(system, workers);

  const fortune = new Fortune(seed);
  const done: Record<string, number> = {};
  for (let i = 0; i < size.faults; i++) {
    const fault = fortune.weighted(weights);
    const victim =
      fault === 'killSupervisor'
        ? fortune.below(8) === 0
          ? `s${fortune.below(groups)}`
          : `m${fortune.below(supervisors)}`
        : `w${fortune.below(servers)}`;
    const pid = await until(() => system.whereis(victim));
    done[fault] = (done[fault] ?? 0) + 1;
    if (fault === 'kill' || fault === 'killSupervisor') system.exitProcess(pid, 'kill');
    else system.cast(pid as Pid<ChaosProtocol>, fault);
    // Now and then all come to rest, else the same few would die again and again while they start.
    if (fortune.below(8) === 0) await calm(system, names);
  }
  t.diagnostic(JSON.stringify(done));
  const after = await undisturbed(t, exits, async () => {
    await calm(system, names);
    await wholeTree(system, servers, supervisors, groups);
    for (let i = 0; i < servers; i++) {
      const ledger = await system.call(w(`w${i}`), 'ledger');
      assert.equal(ledger.stray, 0, `w${i}: each monitor fires once`);
      for (const pid of [...ledger.watched, ...ledger.linked]) {
        assert.ok(system.isAlive(pid), `w${i} has not heard of the end of ${pid}`);
      }
    }
    const found = await census(system, workers);
    nothingLeft(found, names.length);
    return found;
  });
  t.diagnostic(`${exits.length} threads ended`);
  // One more has joined if a thread was seen not to yield.
  const running = after.length - 1;
  assert.ok(running === size.threads || running === size.threads + 1, `${running} threads run`);
  await until(() => (workers.count === running + 1 ? true : undefined)); // and a spare one
  // Of one thread, since there may be one more.
  const [was, is] = [before, after].map(
    (all) => all.reduce((sum, { heapBytes }) => sum + heapBytes, 0) / all.length,
  ) as [number, number];
  t.diagnostic(`heap of a thread: ${(was / 2 ** 20).toFixed(1)} MiB before, ${(is / 2 ** 20).toFixed(1)} after`);
  assert.ok(is <= was * 1.1, `heap of a thread: ${was} bytes before, ${is} after`);
});

/**
 * What is seen of a system at rest. Where there is much else to do, a thread that collects its garbage for this very
 * look may be given up as one that does not yield, and all is in motion again: then it is looked at anew.
 */
async function undisturbed<T>(t: TestContext, exits: readonly ThreadExit[], look: () => Promise<T>): Promise<T> {
  for (;;) {
    const ended = exits.length;
    const seen = await look().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (exits.length > ended) {
      t.diagnostic(`disturbed: ${JSON.stringify(exits.slice(ended))}`);
      continue;
    }
    if ('error' in seen) throw seen.error;
    return seen.value;
  }
}

/** Waits until all have their places and names: twice in a row every supervisor has the same children, all alive. */
async function calm(system: System, names: readonly string[]): Promise<void> {
  let before = '';
  await until(async () => {
    const pids = names.map((each) => system.whereis(each));
    const isThere = pids.every((pid) => pid !== undefined && system.isAlive(pid));
    const now = isThere ? await childrenOfAll(system) : '';
    const isSame = now !== '' && now === before && pids.every((pid, i) => system.whereis(names[i] as string) === pid);
    before = now;
    return isSame ? true : undefined;
  });
}

/** Who there is, as the supervisors know it; empty if one of them is not there, or waits for a child. */
async function childrenOfAll(system: System): Promise<string> {
  try {
    const pids: string[] = [];
    const visit = ({ pid, children }: TreeNode): void => {
      if (pid === undefined || !system.isAlive(pid as Pid)) throw new Error('not yet');
      pids.push(String(pid));
      for (const each of children) visit(each);
    };
    visit(await system.tree());
    return pids.join();
  } catch {
    return '';
  }
}

async function wholeTree(system: System, servers: number, supervisors: number, groups: number): Promise<void> {
  const tree = await system.tree();
  const counts = { supervisor: 0, worker: 0 };
  const visit = (node: TreeNode): void => {
    assert.ok(system.isAlive(node.pid as Pid), `${node.id} is not there`);
    counts[node.type]++;
    for (const each of node.children) visit(each);
  };
  visit(tree);
  assert.deepEqual(counts, { supervisor: 1 + groups + supervisors, worker: servers });
  // And init.
  assert.equal(system.processCount, 2 + groups + supervisors + servers);
}

function nothingLeft(all: readonly Census[], names: number): void {
  for (const { thread, dangling } of all) assert.deepEqual(dangling, [], `thread ${thread}`);
  const links = new Set(all.flatMap((each) => each.links));
  for (const link of links) {
    const [a, b] = link.split(' ');
    assert.ok(links.has(`${b} ${a}`), `${a} is linked to ${b}, which does not know it`);
  }
  for (const each of all) {
    const { thread, starts, deferred, orphans, blocked, farMonitors, monitorsHeld } = each;
    assert.deepEqual({ thread, starts, orphans, blocked }, { thread, starts: 0, orphans: 0, blocked: 0 });
    assert.equal(farMonitors, monitorsHeld, `thread ${thread}`);
    assert.ok(deferred <= 1, `thread ${thread}: ${deferred} calls wait for a reply`);
    // And `init` and its own name.
    assert.equal(each.names, names + 1);
    // One that has just joined, to help out, may have had nothing to say to another.
    assert.ok(each.channels <= 2 * (all.length - 1), `thread ${thread} has ${each.channels} ends of channels`);
  }
}

/** Of all threads, when none has joined or left meanwhile and a spare is ready: collecting garbage is a long turn. */
async function census(system: System, workers: { readonly count: number }): Promise<Census[]> {
  let before = '';
  return until(async () => {
    const all = await askEach(system, workers);
    const threads = all.map(({ thread }) => thread).join();
    const isSame = threads === before && workers.count === all.length;
    before = threads;
    return isSame ? all : undefined;
  });
}

/** Asks every thread, one after the other, so that none is busy with another one's question. */
async function askEach(system: System, workers: { readonly count: number }): Promise<Census[]> {
  const all = new Map<number, Census>();
  const takers: Pid[] = [];
  // Of the workers one is a spare.
  for (let i = 0; all.size < Math.max(size.threads + 1, workers.count); i++) {
    const started = await system.start(CensusTaker, undefined, { thread: i === 0 ? 'main' : 'cpu' });
    if (started === 'ignore' || 'error' in started) throw new Error(`no census: ${JSON.stringify(started)}`);
    const taken = await system.call(started.ok, 'take');
    all.set(taken.thread, taken);
    takers.push(started.ok);
  }
  for (const taker of takers) system.exitProcess(taker, 'kill');
  await until(() => (takers.some((taker) => system.isAlive(taker)) ? undefined : true));
  return [...all.values()].sort((a, b) => a.thread - b.thread);
}
