import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgError, name } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { SupervisionTrace } from '../support/supervision-trace.ts';
import { openProcess, startTestSystem, tagsOf } from '../support/test-system.ts';

const a = name<any>('a');
const b = name<any>('b');

test('a name can be given once, to a living process that has none', async (t) => {
  const system = await startTestSystem(t);
  const [first, second, dead] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  dead.finish();
  await settle();
  first.ctx.register(a);
  assert.throws(() => second.ctx.register(a), BadArgError, 'the name is taken');
  assert.throws(() => first.ctx.register(b), BadArgError, 'it has a name already');
  assert.throws(() => first.ctx.register(a), BadArgError, 'it has this name already');
  assert.throws(() => first.ctx.register(b, dead.pid), BadArgError, 'it is dead');
  for (const bad of ['', 5, undefined, null]) {
    assert.throws(() => second.ctx.register(bad as never), BadArgError, `the name ${bad}`);
  }
  assert.equal(system.system.whereis(a), first.pid);
  assert.equal(system.system.whereis(b), undefined);
  second.ctx.register(b, second.pid);
  assert.equal(first.ctx.whereis(b), second.pid);
});

test('a process may register another one', async (t) => {
  const system = await startTestSystem(t);
  const [first, second] = [await openProcess(system), await openProcess(system)];
  first.ctx.register(a, second.pid);
  first.ctx.send(a, 'hello');
  assert.deepEqual(await tagsOf(second), ['hello']);
});

test('the name of a process that exits is free before anybody learns of the exit', async (t) => {
  const system = await startTestSystem(t);
  const [watched, watcher] = [await openProcess(system), await openProcess(system, { trapExit: true })];
  watched.ctx.register(a);
  watcher.ctx.link(watched.pid);
  watcher.ctx.monitor(watched.pid);
  const found: unknown[] = [];
  const seen = watcher.ctx.receive(({ tag }) => {
    found.push(watcher.ctx.whereis(a));
    return tag === 'DOWN';
  }, 'infinity');
  watched.fail('boom');
  await seen;
  assert.deepEqual(found, [undefined, undefined]);
  watcher.ctx.register(a);
  assert.equal(watcher.ctx.whereis(a), watcher.pid);
});

test('a free name: whereis gives undefined and unregister throws BadArgError', async (t) => {
  const system = await startTestSystem(t);
  const process = await openProcess(system);
  assert.equal(process.ctx.whereis(a), undefined);
  assert.throws(() => process.ctx.unregister(a), BadArgError);
  process.ctx.register(a);
  process.ctx.unregister(a);
  assert.equal(process.ctx.whereis(a), undefined);
  process.ctx.register(b);
  assert.equal(process.ctx.whereis(b), process.pid, 'another name after the first is free');
});

test('a start under a name that is taken returns already_started, and init does not run', async (t) => {
  const system = await startTestSystem(t);
  const trace = new SupervisionTrace(t, system.system.name);
  const holder = await openProcess(system, { name: 'a' });
  const { behaviour, arg } = trace.worker('w').start;
  for (const start of ['start', 'startLink'] as const) {
    const result = await system.opener[start](behaviour, arg, { name: 'a' });
    assert.deepEqual(result, { error: { already_started: holder.pid } });
  }
  assert.deepEqual(trace.take(), []);
});

test('of several starts under one name at the same time exactly one wins', async (t) => {
  const system = await startTestSystem(t);
  const trace = new SupervisionTrace(t, system.system.name);
  const { behaviour, arg } = trace.worker('w').start;
  const results = await Promise.all(
    Array.from({ length: 5 }, () => system.opener.start(behaviour, arg, { name: 'a' })),
  );
  const holder = system.system.whereis(a);
  assert.deepEqual(results, [
    { ok: holder },
    ...Array.from({ length: 4 }, () => ({ error: { already_started: holder } })),
  ]);
  assert.equal(trace.attempts('w'), 1);
});

test('a name is in force before init runs, and free again when init fails or ignores', async (t) => {
  const system = await startTestSystem(t);
  const trace = new SupervisionTrace(t, system.system.name);
  for (const plan of ['ignore', 'throw', { stop: 'no' }] as const) {
    const { behaviour, arg } = trace.worker('w', { plan: [plan, plan, plan] }).start;
    const starting = system.opener.start(behaviour, arg, { name: 'a' });
    assert.ok(system.system.whereis(a), 'registered before its first step');
    await starting;
    assert.equal(system.system.whereis(a), undefined);
  }
});

test('a name leads to its new holder after a restart', async (t) => {
  const system = await startTestSystem(t);
  const [first, second, sender] = [
    await openProcess(system, { name: 'a' }),
    await openProcess(system),
    await openProcess(system),
  ];
  first.finish();
  await settle();
  second.ctx.register(a);
  sender.ctx.send(a, 'm');
  sender.ctx.cast(a, 'm');
  assert.deepEqual(await tagsOf(second), ['m', 'm']);
});
