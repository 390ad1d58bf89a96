import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChildSpec, child, genServer, name, startChild, startSystem, supervisor } from '../../runtime/index.ts';
import { startUnderRoot } from '../support/supervision-trace.ts';
import { startTestSystem } from '../support/test-system.ts';

const Worker = genServer(import.meta, 'Worker', { init: () => 0 });
const good = child(Worker, undefined);
const loose = (changes: object): ChildSpec => ({ ...good, ...changes }) as ChildSpec;

test('the defaults of a worker and of a supervisor', () => {
  assert.deepEqual(good, {
    id: 'Worker',
    start: { behaviour: Worker, arg: undefined },
    restart: 'permanent',
    shutdown: 5_000,
    type: 'worker',
    significant: false,
  });
  const { start, ...defaults } = supervisor('sup', {}, [good]);
  assert.deepEqual(defaults, {
    id: 'sup',
    restart: 'permanent',
    shutdown: 'infinity',
    type: 'supervisor',
    significant: false,
  });
  assert.deepEqual(start.arg, {
    id: 'sup',
    flags: { strategy: 'one_for_one', intensity: 1, periodMs: 5_000, autoShutdown: 'never', maxChildren: 'infinity' },
    children: [good],
  });
});

test('a specification is plain data: the same one serves several supervisors and systems', async (t) => {
  const systems = [await startTestSystem(t), await startTestSystem(t)];
  for (const { system } of systems) {
    for (const id of ['s1', 's2']) await startUnderRoot({ system }, supervisor(id, {}, [good]));
  }
  assert.deepEqual(
    systems.map(({ system }) => system.processCount),
    [7, 7],
  );
});

/** Each wrong child with OTP's term. */
const wrongChildren: readonly [string, unknown, unknown][] = [
  ['no specification', 'nope', { invalid_child_spec: 'nope' }],
  ['no specification', undefined, { invalid_child_spec: undefined }],
  ['no specification', null, { invalid_child_spec: null }],
  ['no id', loose({ id: undefined }), 'missing_id'],
  ['no start', loose({ start: undefined }), 'missing_start'],
  ['a start without a behaviour', loose({ start: { behaviour: undefined, arg: 1 } }), 'missing_start'],
  ['restart', loose({ restart: 'always' }), { invalid_restart_type: 'always' }],
  ['shutdown', loose({ shutdown: 'soon' }), { invalid_shutdown: 'soon' }],
  ['shutdown', loose({ shutdown: -1 }), { invalid_shutdown: -1 }],
  ['shutdown', loose({ shutdown: Number.NaN }), { invalid_shutdown: Number.NaN }],
  ['shutdown', loose({ shutdown: Number.POSITIVE_INFINITY }), { invalid_shutdown: Number.POSITIVE_INFINITY }],
  ['shutdown', loose({ shutdown: 2 ** 31 }), { invalid_shutdown: 2 ** 31 }],
  ['type', loose({ type: 'slave' }), { invalid_child_type: 'slave' }],
  ['significant', loose({ significant: 'yes' }), { invalid_significant: 'yes' }],
  [
    'significant without auto shutdown',
    loose({ significant: true, restart: 'transient' }),
    { bad_combination: { auto_shutdown: 'never', significant: true } },
  ],
];

for (const [what, spec, term] of wrongChildren) {
  const text = JSON.stringify(term);
  test(`a wrong child (${what}) is refused with ${text}, at a start in start_spec`, async (t) => {
    const { system } = await startTestSystem(t);
    await startUnderRoot({ system }, supervisor('sup', { name: 'sup' }, []));
    assert.deepEqual(await startChild(system, name<any>('sup'), spec), { error: term });
    const result = await startChild(system, system.root, supervisor('bad', {}, [good, spec as ChildSpec]));
    assert.deepEqual('error' in result && result.error, { start_spec: term });
  });
}

test('permanent and significant do not go together', async (t) => {
  const { system } = await startTestSystem(t);
  const spec = supervisor('sup', { autoShutdown: 'any_significant' }, [loose({ significant: true })]);
  const result = await startChild(system, system.root, spec);
  assert.deepEqual('error' in result && result.error, {
    start_spec: { bad_combination: { restart: 'permanent', significant: true } },
  });
});

test('two children with one id are refused', async (t) => {
  const { system } = await startTestSystem(t);
  const result = await startChild(system, system.root, supervisor('sup', {}, [good, good]));
  assert.deepEqual('error' in result && result.error, { start_spec: { duplicate_child_name: 'Worker' } });
});

test('simple_one_for_one needs exactly one child', async (t) => {
  const { system } = await startTestSystem(t);
  for (const children of [[], [good, loose({ id: 'b' })]]) {
    const result = await startChild(
      system,
      system.root,
      supervisor('sup', { strategy: 'simple_one_for_one' }, children),
    );
    assert.deepEqual('error' in result && result.error, { bad_start_spec: children });
  }
});

/** Each wrong flag with OTP's term. */
const wrongFlags: readonly [object, unknown][] = [
  [{ strategy: 'one_for_none' }, { invalid_strategy: 'one_for_none' }],
  [{ strategy: 'constructor' }, { invalid_strategy: 'constructor' }],
  [{ intensity: -1 }, { invalid_intensity: -1 }],
  [{ intensity: 1.5 }, { invalid_intensity: 1.5 }],
  [{ intensity: 'many' }, { invalid_intensity: 'many' }],
  [{ periodMs: 0 }, { invalid_period: 0 }],
  [{ periodMs: -1 }, { invalid_period: -1 }],
  [{ periodMs: '5' }, { invalid_period: '5' }],
  [{ periodMs: Number.NaN }, { invalid_period: Number.NaN }],
  [{ autoShutdown: 'sometimes' }, { invalid_auto_shutdown: 'sometimes' }],
];

for (const [flags, term] of wrongFlags) {
  test(`wrong flags are refused with supervisor_data ${JSON.stringify(term)}`, async (t) => {
    const { system } = await startTestSystem(t);
    const result = await startChild(system, system.root, supervisor('sup', flags, [good]));
    assert.deepEqual('error' in result && result.error, { supervisor_data: term });
    await assert.rejects(startSystem({ ...flags, children: [good] }), {
      code: 'ERR_START',
      reason: { supervisor_data: term },
    });
  });
}

test('unknown flags and unknown keys of a child are ignored', async (t) => {
  const { system } = await startTestSystem(t);
  const flags = { unknown: 1 } as object;
  const result = await startChild(system, system.root, supervisor('sup', flags, [loose({ unknown: 1 })]));
  assert.ok('ok' in result);
});

test('specifications are checked before any child starts', async (t) => {
  const { system } = await startTestSystem(t);
  let started = 0;
  const Counting = genServer(import.meta, 'Counting', { init: () => ++started });
  await startChild(
    system,
    system.root,
    supervisor('sup', {}, [child(Counting, undefined), loose({ restart: 'always' })]),
  );
  assert.equal(started, 0);
});
