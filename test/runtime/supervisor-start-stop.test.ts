import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ChildSpec,
  type Context,
  countChildren,
  type ExitReason,
  name,
  type Pid,
  type SupervisorFlags,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { startUnderRoot } from '../support/supervision-trace.ts';
import { openProcess, reasonsOf, type TestSystem } from '../support/test-system.ts';
import { startTracedSystem, sup } from '../support/traced-supervisor.ts';

function temporary(children: readonly ChildSpec[], flags: SupervisorFlags = {}): ChildSpec {
  return supervisor('sup', { name: 'sup', restart: 'temporary', ...flags }, children);
}

/** Stops the supervisor as its parent does, and returns the reason with which it exits. */
async function stopSup({ system, clock, opener }: TestSystem, advanceMs = 0): Promise<ExitReason> {
  const pid = system.whereis(sup) ?? assert.fail('sup does not run');
  const reasons: unknown[] = [];
  opener.spawn(async (_arg, ctx) => {
    ctx.monitor(pid);
    const down = await ctx.receive(({ tag }) => tag === 'DOWN', 'infinity');
    if (down !== 'timeout') reasons.push((down.payload as { reason: unknown }).reason);
  }, undefined);
  await settle();
  const stopping = terminateChild(system, system.root, 'sup');
  await settle();
  if (advanceMs > 0) await clock.advance(advanceMs);
  assert.equal(await stopping, 'ok');
  await settle();
  assert.equal(reasons.length, 1);
  return reasons[0];
}

test('children start one after another in the order of their specifications', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  await startUnderRoot(system, temporary(['a', 'b', 'c'].map((id) => trace.worker(id))));
  assert.deepEqual(trace.take(), ['init a#1', 'init b#1', 'init c#1']);
  assert.deepEqual(trace.progress, ['a', 'b', 'c', 'sup']);
});

test('a child starts only when the init of the one before it has returned', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  const starting = startChild(
    system.system,
    system.system.root,
    temporary([trace.worker('a', { plan: ['hang'] }), trace.worker('b')]),
  );
  await system.clock.advance(100_000);
  assert.deepEqual(trace.take(), ['init a#1']);
  system.system.exitProcess(system.system.whereis(name('a')) ?? assert.fail(), 'boom');
  const result = await starting;
  assert.ok('error' in result);
});

test('a child that fails in init: those before it are stopped, and the start fails', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  const children = [
    trace.worker('a'),
    trace.worker('b'),
    trace.worker('c', { plan: [{ stop: 'no' }] }),
    trace.worker('d'),
  ];
  const result = await startChild(system.system, system.system.root, temporary(children));
  assert.ok('error' in result);
  assert.deepEqual(result.error, { shutdown: { failed_to_start_child: { id: 'c', reason: 'no' } } });
  assert.deepEqual(trace.take(), [
    'init a#1',
    'init b#1',
    'init c#1',
    'exit c#1 no',
    'report start_error c no',
    'exit b#1 shutdown',
    'exit a#1 shutdown',
  ]);
});

test('startLink of a supervisor that fails returns the reason, and the parent gets the exit signal', async (t) => {
  const system = await startTracedSystem(t);
  const parent = await openProcess(system, { trapExit: true });
  const { behaviour, arg } = temporary([system.trace.worker('a', { plan: [{ stop: 'no' }] })]).start;
  const reason = { shutdown: { failed_to_start_child: { id: 'a', reason: 'no' } } };
  assert.deepEqual(await parent.ctx.startLink(behaviour, arg), { error: reason });
  assert.deepEqual(await reasonsOf(parent), [reason]);
});

test('a supervisor stops its children in reverse order, one by one, and exits after all', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  const slow = async (): Promise<void> => {
    await settle(2);
    trace.add('cleaned up');
  };
  await startUnderRoot(
    system,
    temporary([
      trace.worker('a', { trapExit: true }),
      trace.worker('b', { trapExit: true, terminate: slow }),
      trace.worker('c', { trapExit: true }),
    ]),
  );
  trace.take();
  assert.equal(await stopSup(system), 'shutdown');
  assert.deepEqual(trace.take(), [
    'terminate c#1 shutdown',
    'exit c#1 shutdown',
    'terminate b#1 shutdown',
    'cleaned up',
    'exit b#1 shutdown',
    'terminate a#1 shutdown',
    'exit a#1 shutdown',
    'exit sup shutdown',
  ]);
});

test('nested supervisors stop from the leaves of the last branch to the first', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  const inner = (id: string, ...leaves: string[]): ChildSpec =>
    supervisor(
      id,
      {},
      leaves.map((leaf) => trace.worker(leaf)),
    );
  await startUnderRoot(system, temporary([inner('s1', 'a', 'b'), inner('s2', 'c')]));
  trace.take();
  await stopSup(system);
  assert.deepEqual(trace.take(), [
    'exit c#1 shutdown',
    'exit s2 shutdown',
    'exit b#1 shutdown',
    'exit a#1 shutdown',
    'exit s1 shutdown',
    'exit sup shutdown',
  ]);
});

test('a child that does not end within its shutdown time is killed, and that is reported', async (t) => {
  const system = await startTracedSystem(t);
  const { trace, clock } = system;
  const hang = (): Promise<void> => new Promise(() => {});
  await startUnderRoot(system, temporary([trace.worker('a', { trapExit: true, shutdown: 100, terminate: hang })]));
  trace.take();
  const stopping = stopSup(system, 0);
  await settle();
  await clock.advance(99);
  assert.deepEqual(trace.take(), ['terminate a#1 shutdown']);
  await clock.advance(1);
  await stopping;
  assert.deepEqual(trace.take(), ['exit a#1 killed', 'report shutdown_error a killed', 'exit sup shutdown']);
});

test('by default a worker has 5,000 ms to stop', async (t) => {
  const system = await startTracedSystem(t);
  const { trace, clock } = system;
  const spec = trace.worker('a', { trapExit: true, terminate: () => new Promise(() => {}) });
  assert.equal(spec.shutdown, 5_000);
  await startUnderRoot(system, temporary([spec]));
  const stopping = stopSup(system);
  await settle();
  trace.take();
  await clock.advance(4_999);
  assert.deepEqual(trace.take(), []);
  await clock.advance(1);
  await stopping;
});

test('by default a supervisor has no limit to stop, and infinity is the same for a worker', async (t) => {
  const system = await startTracedSystem(t);
  const { trace, clock } = system;
  let finish: () => void = () => {};
  const terminate = (): Promise<void> =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const inner = supervisor('inner', {}, [trace.worker('a', { trapExit: true, shutdown: 'infinity', terminate })]);
  assert.equal(inner.shutdown, 'infinity');
  await startUnderRoot(system, temporary([inner]));
  trace.take();
  const stopping = stopSup(system);
  await settle();
  await clock.advance(1_000_000_000);
  assert.deepEqual(trace.take(), ['terminate a#1 shutdown']);
  finish();
  await stopping;
  assert.deepEqual(trace.take(), ['exit a#1 shutdown', 'exit inner shutdown', 'exit sup shutdown']);
});

test('brutal_kill kills at once without terminate, and killed is no error', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  await startUnderRoot(system, temporary([trace.worker('a', { trapExit: true, shutdown: 'brutal_kill' })]));
  trace.take();
  await stopSup(system);
  assert.deepEqual(trace.take(), ['exit a#1 killed', 'exit sup shutdown']);
});

test('a shutdown time of 0 still lets a child that ends at once end as asked', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  await startUnderRoot(system, temporary([trace.worker('a', { shutdown: 0 })]));
  trace.take();
  await stopSup(system);
  assert.deepEqual(trace.take(), ['exit a#1 shutdown', 'exit sup shutdown']);
});

test('a child that unlinked itself cannot hang its supervisor', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  for (const shutdown of ['brutal_kill', 'infinity', 100] as const) {
    await startUnderRoot(system, temporary([trace.worker('a', { shutdown })]));
    const parent = system.system.whereis(sup) as Pid;
    system.system.cast(name<any>('a'), 'run', (ctx: Context) => ctx.unlink(parent));
    await settle();
    trace.take();
    await stopSup(system);
    const ended = shutdown === 'brutal_kill' ? 'killed' : 'shutdown';
    assert.deepEqual(trace.take(), [`exit a#${trace.attempts('a')} ${ended}`, 'exit sup shutdown']);
  }
});

test('a child that unlinked itself and died is reported when it is stopped', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  await startUnderRoot(system, temporary([trace.worker('a')]));
  const parent = system.system.whereis(sup) as Pid;
  system.system.cast(name<any>('a'), 'run', (ctx: Context) => ctx.unlink(parent));
  await settle();
  system.system.exitProcess(system.system.whereis(name('a')) as Pid, 'boom');
  await settle();
  trace.take();
  await stopSup(system);
  assert.deepEqual(trace.take(), ['report shutdown_error a child_process_unlinked', 'exit sup shutdown']);
});

test('a child that exits by itself while it is being stopped ends the stop all the same', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  const reports: string[] = [];
  for (const restart of ['permanent', 'transient', 'temporary'] as const) {
    for (const reason of ['normal', 'shutdown', { shutdown: 'x' }, 'boom']) {
      const terminate = (_reason: ExitReason, ctx: Context): never => ctx.exit(reason);
      await startUnderRoot(system, temporary([trace.worker('a', { restart, trapExit: true, terminate })]));
      trace.take();
      assert.equal(await stopSup(system), 'shutdown');
      for (const line of trace.take()) if (line.startsWith('report')) reports.push(`${restart}: ${line}`);
    }
  }
  assert.deepEqual(reports, [
    'permanent: report shutdown_error a normal',
    'permanent: report shutdown_error a {"shutdown":"x"}',
    'permanent: report shutdown_error a boom',
    'transient: report shutdown_error a boom',
    'temporary: report shutdown_error a boom',
  ]);
});

test('a supervisor without children starts and stops', async (t) => {
  const system = await startTracedSystem(t);
  await startUnderRoot(system, temporary([]));
  assert.equal(await stopSup(system), 'shutdown');
});

test('a child whose init ignores is kept without a process; a temporary one is forgotten', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  const plan = { plan: ['ignore'] } as const;
  await startUnderRoot(
    system,
    temporary([trace.worker('a', plan), trace.worker('b', { ...plan, restart: 'temporary' }), trace.worker('c')]),
  );
  const rows = await whichChildren(system.system, sup);
  assert.deepEqual(rows, [
    { id: 'c', pid: system.system.whereis(name('c')), type: 'worker' },
    { id: 'a', pid: undefined, type: 'worker' },
  ]);
  assert.equal(await stopSup(system), 'shutdown');
});

test('while a supervisor starts a child, what is asked of it waits', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  await startUnderRoot(system, temporary([]));
  const order: string[] = [];
  const starting = startChild(system.system, sup, trace.worker('a', { plan: ['hang'] })).then(() =>
    order.push('started'),
  );
  const counting = countChildren(system.system, sup).then(() => order.push('counted'));
  await system.clock.advance(100_000);
  assert.deepEqual(order, []);
  system.system.exitProcess(system.system.whereis(name('a')) as Pid, 'boom');
  await Promise.all([starting, counting]);
  assert.deepEqual(order, ['started', 'counted']);
});

test('a supervisor that is killed while a child is in init leaves nothing behind', async (t) => {
  const system = await startTracedSystem(t);
  const { trace } = system;
  const starting = startChild(
    system.system,
    system.system.root,
    temporary([trace.worker('a'), trace.worker('b', { plan: ['hang'] })]),
  );
  await settle();
  trace.take();
  system.system.exitProcess(system.system.whereis(sup) as Pid, 'kill');
  const result = await starting;
  await settle();
  assert.ok('error' in result && result.error === 'killed');
  assert.deepEqual(trace.take().sort(), ['exit a#1 killed', 'exit b#1 killed']);
  assert.equal(system.system.whereis(name('a')), undefined);
});
