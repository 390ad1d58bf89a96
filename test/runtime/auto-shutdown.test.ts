import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AutoShutdown,
  type ChildSpec,
  name,
  type RestartType,
  startChild,
  supervisor,
  terminateChild,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { SupervisionTrace, startUnderRoot } from '../support/supervision-trace.ts';
import { startTestSystem, type TestSystem } from '../support/test-system.ts';
import { sup } from '../support/traced-supervisor.ts';

type Traced = TestSystem & { readonly trace: SupervisionTrace };

async function startSup(
  t: Parameters<typeof startTestSystem>[0],
  autoShutdown: AutoShutdown,
  children: (trace: SupervisionTrace) => readonly ChildSpec[],
  strategy: 'one_for_one' | 'one_for_all' = 'one_for_one',
): Promise<Traced> {
  const system = await startTestSystem(t);
  const trace = new SupervisionTrace(t, system.system.name);
  const options = { name: 'sup', restart: 'temporary', autoShutdown, strategy, intensity: 10 } as const;
  await startUnderRoot(system, supervisor('sup', options, children(trace)));
  trace.take();
  return { ...system, trace };
}

async function end({ system, trace }: Traced, id: string, reason: unknown): Promise<string[]> {
  system.cast(name<any>(id), 'stop', reason);
  await settle();
  return trace.take();
}

const isUp = ({ system }: TestSystem): boolean => system.whereis(sup) !== undefined;
const significant = (restart: RestartType) => ({ restart, significant: true }) as const;

test('any_significant: the first significant child that ends for good stops all', async (t) => {
  const system = await startSup(t, 'any_significant', (trace) => [
    trace.worker('a'),
    trace.worker('b', significant('transient')),
    trace.worker('c', significant('transient')),
  ]);
  assert.deepEqual(await end(system, 'b', 'normal'), [
    'exit b#1 normal',
    'exit c#1 shutdown',
    'exit a#1 shutdown',
    'exit sup shutdown',
  ]);
});

test('any_significant: which ends count', async (t) => {
  const cases = [
    ['transient', 'normal', true],
    ['transient', 'shutdown', true],
    ['transient', { shutdown: 'x' }, true],
    ['transient', 'boom', false],
    ['temporary', 'normal', true],
    ['temporary', 'boom', true],
    ['temporary', 'killed', true],
  ] as const;
  for (const [restart, reason, stops] of cases) {
    const system = await startSup(t, 'any_significant', (trace) => [trace.worker('a', significant(restart))]);
    await end(system, 'a', reason);
    assert.equal(isUp(system), !stops, `${restart} ${JSON.stringify(reason)}`);
  }
});

test('all_significant: the supervisor stops when the last running significant child ends for good', async (t) => {
  const system = await startSup(t, 'all_significant', (trace) => [
    trace.worker('a'),
    trace.worker('b', significant('transient')),
    trace.worker('c', significant('temporary')),
  ]);
  await end(system, 'c', 'boom');
  assert.equal(isUp(system), true);
  await end(system, 'b', 'boom');
  assert.equal(isUp(system), true, 'restarted: it does not count');
  assert.deepEqual(await end(system, 'b', 'normal'), ['exit b#2 normal', 'exit a#1 shutdown', 'exit sup shutdown']);
});

test('children that are not significant never stop the supervisor', async (t) => {
  for (const autoShutdown of ['never', 'any_significant', 'all_significant'] as const) {
    const system = await startSup(t, autoShutdown, (trace) => [
      trace.worker('a', { restart: 'transient' }),
      trace.worker('b', { restart: 'temporary' }),
    ]);
    await end(system, 'a', 'normal');
    await end(system, 'b', 'boom');
    assert.equal(isUp(system), true, autoShutdown);
  }
});

test('terminateChild of a significant child does not count', async (t) => {
  for (const restart of ['transient', 'temporary'] as const) {
    for (const autoShutdown of ['any_significant', 'all_significant'] as const) {
      const system = await startSup(t, autoShutdown, (trace) => [trace.worker('a', significant(restart))]);
      assert.equal(await terminateChild(system.system, sup, 'a'), 'ok');
      await settle();
      assert.equal(isUp(system), true, `${restart} ${autoShutdown}`);
    }
  }
});

test('a significant child that is stopped because of a sibling does not count', async (t) => {
  const system = await startSup(
    t,
    'any_significant',
    (trace) => [
      trace.worker('a'),
      trace.worker('b', significant('temporary')),
      trace.worker('c', significant('transient')),
    ],
    'one_for_all',
  );
  await end(system, 'a', 'boom');
  assert.equal(isUp(system), true);
  assert.equal(system.trace.attempts('c'), 2);
});

test('a significant child supervisor that shuts itself down counts in its parent', async (t) => {
  const system = await startSup(t, 'any_significant', (trace) => [
    trace.worker('a'),
    supervisor('inner', { ...significant('transient'), autoShutdown: 'any_significant' }, [
      trace.worker('b', significant('transient')),
      trace.worker('c'),
    ]),
  ]);
  assert.deepEqual(await end(system, 'b', 'normal'), [
    'exit b#1 normal',
    'exit c#1 shutdown',
    'exit inner shutdown',
    'exit a#1 shutdown',
    'exit sup shutdown',
  ]);
});

test('auto shutdown works for simple_one_for_one too', async (t) => {
  for (const autoShutdown of ['any_significant', 'all_significant'] as const) {
    const system = await startTestSystem(t);
    const trace = new SupervisionTrace(t, system.system.name);
    const options = { name: 'sup', restart: 'temporary', autoShutdown, strategy: 'simple_one_for_one' } as const;
    await startUnderRoot(system, supervisor('sup', options, [trace.template(significant('transient'))]));
    const started = [];
    for (const id of ['a', 'b']) started.push(await startChild(system.system, sup, trace.start(id)));
    const [a, b] = started.map((result) => ('ok' in result && result.ok) || assert.fail());
    system.system.cast(a as never, 'stop' as never, 'normal' as never);
    await settle();
    assert.equal(isUp(system), autoShutdown === 'all_significant', autoShutdown);
    system.system.cast(b as never, 'stop' as never, 'normal' as never);
    await settle();
    assert.equal(isUp(system), false);
  }
});
