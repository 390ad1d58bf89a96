/** Threads that cannot start, and systems that stop while threads are in trouble. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { child, StartError, startSystem } from '../../../runtime/index.ts';
import { ProcessContext } from '../../../runtime/kernel/process-context.ts';
import type { simulatedClock } from '../../../runtime/testing.ts';
import { ThreadHost } from '../../../runtime/thread/thread-host.ts';
import {
  type ThreadGroup,
  type ThreadPlan,
  type ThreadsOptions,
  threadPlan,
} from '../../../runtime/thread/thread-plan.ts';
import type { WorkerThread } from '../../../runtime/thread/worker-thread.ts';
import { runProgram } from '../../support/child-program.ts';
import { loneKernel, loneProcess } from '../../support/lone-kernel.ts';
import { builtPath } from '../../support/repository.ts';
import { systemName } from '../../support/test-system.ts';
import { Probe } from '../../support/thread-probe.ts';
import { type ProbePid, startProbe, startThreads, threadExits, until } from '../../support/thread-system.ts';
import { countWorkers } from '../../support/worker-count.ts';

/** What Node.js makes of a heap in which a thread cannot start. */
const skip =
  Number.parseInt(process.versions.node, 10) >= 22 && 'Node.js aborts the program when a heap is too small, from 22 on';
const tooSmall = { maxOldGenerationSizeMb: 1, maxYoungGenerationSizeMb: 1 };

test('a system whose threads cannot start is not started, and says why', { skip }, async (t) => {
  const workers = countWorkers(t);
  const before = process.listenerCount('uncaughtException');
  const starting = startSystem({
    name: systemName(),
    threads: { cpu: 1, small: { count: 1, resourceLimits: tooSmall } },
    onUnattributedError: () => {},
    children: [],
  });
  await assert.rejects(starting, (error: StartError) => {
    assert.ok(error instanceof StartError);
    assert.deepEqual(error.reason, { failed_to_start_thread: { worker_exit: 'oom' } });
    return true;
  });
  assert.equal(workers.count, 0);
  assert.equal(process.listenerCount('uncaughtException'), before, 'no hook is left');
});

/** As `threadPlan`, with limits that can be changed. */
function changeable(name: string, threads: ThreadsOptions): { readonly plan: ThreadPlan; limits: object | undefined } {
  const plan = threadPlan(threads);
  const group = { ...(plan.groups.get(name) as ThreadGroup) };
  const changing = {
    limits: undefined as object | undefined,
    plan: { ...plan, groups: new Map([...plan.groups, [name, group]]) } as unknown as ThreadPlan,
  };
  Object.defineProperty(group, 'resourceLimits', { get: () => changing.limits });
  return changing;
}

test('a thread that ends before it runs is started again later and later, each time published', { skip }, async (t) => {
  const kernel = loneKernel();
  const clock = kernel.clock as ReturnType<typeof simulatedClock>;
  const workers = countWorkers(t);
  const exits = threadExits(t, kernel as never);
  const changing = changeable('cpu', { cpu: { count: 1, spare: false } });
  const host = new ThreadHost(kernel, changing.plan);
  await host.start();
  changing.limits = tooSmall;
  const [worker] = (host as unknown as { running: Map<number, WorkerThread> }).running.values();
  void worker?.terminate();
  const failed = (n: number): Promise<unknown> =>
    until(() => (exits.length === n && workers.count === 0 ? true : undefined));
  await failed(2); // itself, and the one that was started at once in its place
  for (const [i, delayMs] of [100, 200, 400, 800].entries()) {
    await clock.advance(delayMs - 1);
    assert.equal(workers.count, 0, `not before ${delayMs} ms`);
    if (delayMs === 800) changing.limits = undefined;
    await clock.advance(1);
    if (delayMs !== 800) await failed(3 + i);
  }
  assert.deepEqual(
    exits.map(({ ready }) => ready),
    [true, false, false, false, false],
  );
  // The next one runs, and with that the past is forgotten.
  const running = await until(() => [...(host as any).running.values()].find(({ isReady }) => isReady) as WorkerThread);
  changing.limits = tooSmall;
  void running.terminate();
  await failed(7);
  await clock.advance(99);
  assert.equal(workers.count, 0);
  await clock.advance(1);
  await failed(8);
  await host.stop();
  assert.equal(workers.count, 0);
});

test('what another worker sends to a thread that is started again later waits for it', { skip }, async () => {
  const kernel = loneKernel();
  const clock = kernel.clock as ReturnType<typeof simulatedClock>;
  const changing = changeable('cpu', { cpu: { count: 1, spare: false }, other: { count: 1, spare: false } });
  const host = new ThreadHost(kernel, changing.plan);
  await host.start();
  const ctx = new ProcessContext(kernel, loneProcess(kernel));
  const started = (await ctx.start(Probe, undefined, { thread: 'other' })) as { readonly ok: ProbePid };
  changing.limits = tooSmall;
  const { running } = host as unknown as { running: Map<number, WorkerThread> };
  const inGroup = (): WorkerThread | undefined =>
    [...running.values()].find(({ assignment }) => assignment?.own.group === 'cpu');
  void inGroup()?.terminate();
  await until(() => (inGroup()?.isReady === false ? true : undefined));
  await until(() => (inGroup() === undefined ? true : undefined));
  changing.limits = undefined;
  const pid = await ctx.call(started.ok, 'spawn', { thread: 'cpu' }, { timeoutMs: 'infinity' });
  const answer = ctx.call(pid as ProbePid, 'echo', 'here', { timeoutMs: 'infinity' });
  await clock.advance(100);
  assert.equal(await answer, 'here');
  await host.stop();
});

const run = promisify(execFile);
const url = (source: string): string => JSON.stringify(pathToFileURL(builtPath(source)).href);

for (const [what, harm, reason] of [
  ['throws', `throw new Error('not here')`, /"failed_to_start_thread":\{"worker_exit":\{"error":.*not here/],
  ['exits', 'process.exit(9)', /"failed_to_start_thread":\{"worker_exit":\{"exit_code":9\}\}/],
] as const) {
  test(`a module that ${what} while a thread loads keeps the system from starting`, async () => {
    const preload = `import { isMainThread } from 'node:worker_threads'; if (!isMainThread) ${harm};`;
    const program = `
      import { startSystem } from ${url('runtime/index.ts')};
      await startSystem({ threads: { cpu: 2 }, children: [] }).catch((error) => console.log(JSON.stringify(error)));
    `;
    const args = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, '--input-type=module'];
    const { stdout } = await run(process.execPath, [...args, '--eval', program]);
    assert.match(stdout, reason);
  });
}

test('a system stops while a thread stalls for ever, others restart, and calls wait', async () => {
  const { lines, code, errors } = await runProgram(`
    import { Probe } from ${url('test/support/thread-probe.ts')};
    const named = (id, thread) => beamish.child(Probe, undefined, { id, name: id, thread });
    const system = await beamish.startSystem({
      threads: { cpu: 1, other: 1 },
      workers: { stallMs: 0, stdout: 'stderr' },
      intensity: 10,
      children: [named('a', 'cpu'), named('b', 'other')],
    });
    const outcome = (error) => console.log(error.code, JSON.stringify(error.reason));
    const forever = { timeoutMs: 'infinity' };
    const calls = ['a', 'b'].map((id) => system.call(id, 'never', undefined, forever).catch(outcome));
    system.cast('a', 'loop');
    system.cast('b', 'exitProcess', 3);
    await system.stop();
    console.log('stopped', JSON.stringify(await system.terminated));
    await Promise.all(calls);
  `);
  assert.equal(code, 0, errors);
  assert.ok(lines.includes('stopped "shutdown"'), lines.join('\n'));
  assert.deepEqual(lines.filter((line) => line.startsWith('ERR_CALL_EXIT')).sort(), [
    'ERR_CALL_EXIT "killed"',
    'ERR_CALL_EXIT {"worker_exit":{"exit_code":3}}',
  ]);
});

test('two systems with threads in one program do not see each other', async (t) => {
  const children = [child(Probe, undefined, { id: 'one', name: 'one', thread: 'cpu' })];
  const [first, second] = [
    await startThreads(t, { threads: { cpu: 1 }, children }),
    await startThreads(t, { children }),
  ];
  const exits = threadExits(t, second);
  const [here, there] = [first.whereis('one'), second.whereis('one')];
  assert.ok(here !== undefined && there !== undefined);
  const probe = await startProbe(second, { thread: 'cpu' });
  assert.equal(await second.call(probe, 'isAlive', here), false);
  assert.deepEqual(String(await second.call(probe, 'echo', here)), String(here));
  first.cast<any, any>(here, 'exitProcess', 1);
  await until(() => (first.whereis('one') !== here && first.whereis('one') !== undefined ? true : undefined));
  assert.equal(second.whereis('one'), there);
  assert.deepEqual(exits, []);
  await first.stop();
  assert.equal(await second.call(probe, 'echo', 2), 2);
});
