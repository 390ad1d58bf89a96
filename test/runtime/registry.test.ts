import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type TestContext, test } from 'node:test';
import {
  BadArgError,
  type CrashReport,
  channels,
  type Name,
  type Registry,
  type RegistryListenerInfo,
  registry,
  type UniqueRegistry,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { mailboxOf, openProcess, startTestSystem, type TestSystem } from '../support/test-system.ts';

const users: UniqueRegistry<string, number> = registry('users', { keys: 'unique' });
const topics: Registry<string, string> = registry('topics', { keys: 'duplicate', listeners: ['listener' as Name] });

function startRegistries(t: TestContext): Promise<TestSystem> {
  return startTestSystem(t, { children: [users.childSpec, topics.childSpec] });
}

test('with unique keys one process holds a key; others, and it itself again, are told who', async (t) => {
  const system = await startRegistries(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  assert.equal(users.register(a.ctx, 'ann', 1), 'ok');
  assert.deepEqual(users.register(b.ctx, 'ann', 2), { error: { already_registered: a.pid } });
  assert.deepEqual(users.register(a.ctx, 'ann', 3), { error: { already_registered: a.pid } });
  assert.equal(users.register(a.ctx, 'eve', 4), 'ok', 'a process may hold several keys');
  assert.deepEqual(users.lookup(b.ctx, 'ann'), [{ key: 'ann', pid: a.pid, value: 1 }]);
  assert.deepEqual(users.lookup(system.system, 'bob'), []);
  assert.deepEqual([users.keys(b.ctx, a.pid), users.keys(b.ctx, b.pid), users.count(b.ctx)], [['ann', 'eve'], [], 2]);
});

test('with duplicate keys any process registers under a key, also several times, each with a value', async (t) => {
  const system = await startRegistries(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  for (const [process, value] of [
    [a, 'first'],
    [b, 'second'],
    [a, 'third'],
  ] as const) {
    assert.equal(topics.register(process.ctx, 'news', value), 'ok');
  }
  assert.deepEqual(
    topics.lookup(b.ctx, 'news').map(({ pid, value }) => [pid, value]),
    [
      [a.pid, 'first'],
      [b.pid, 'second'],
      [a.pid, 'third'],
    ],
  );
  assert.deepEqual([topics.values(b.ctx, 'news', a.pid), topics.values(b.ctx, 'old', a.pid)], [['first', 'third'], []]);
  assert.deepEqual([topics.keys(b.ctx, a.pid), topics.count(b.ctx)], [['news', 'news'], 3]);
  assert.deepEqual(
    topics.select(b.ctx, ({ pid, value }) => pid === a.pid && value !== 'first'),
    [{ key: 'news', pid: a.pid, value: 'third' }],
  );
});

test('unregister ends the registrations of the caller only: all of a key, or those whose value matches', async (t) => {
  const system = await startRegistries(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  for (const value of ['x', 'y', 'z']) topics.register(a.ctx, 'news', value);
  topics.register(b.ctx, 'news', 'x');
  assert.equal(
    topics.unregister(a.ctx, 'news', (value) => value === 'x'),
    'ok',
  );
  assert.deepEqual(
    topics.lookup(a.ctx, 'news').map(({ value }) => value),
    ['y', 'z', 'x'],
  );
  topics.unregister(a.ctx, 'news');
  assert.deepEqual(
    topics.lookup(a.ctx, 'news').map(({ pid }) => pid),
    [b.pid],
  );
  users.register(a.ctx, 'ann', 1);
  assert.equal(users.unregister(b.ctx, 'ann'), 'ok');
  assert.equal(users.lookup(b.ctx, 'ann').length, 1, 'it was not for the other process to end');
  users.unregister(a.ctx, 'ann');
  assert.equal(users.register(b.ctx, 'ann', 2), 'ok', 'the key is free again');
});

test('the entries of a process that exits are gone before anybody learns of it', async (t) => {
  const system = await startRegistries(t);
  const [held, watcher] = [await openProcess(system), await openProcess(system)];
  users.register(held.ctx, 'ann', 1);
  topics.register(held.ctx, 'news', 'x');
  topics.register(watcher.ctx, 'news', 'y');
  watcher.ctx.monitor(held.pid);
  let found: unknown = 'not asked';
  const down = watcher.ctx.receive(({ tag }) => {
    found = [users.lookup(watcher.ctx, 'ann'), topics.lookup(watcher.ctx, 'news').length, users.count(watcher.ctx)];
    return tag === 'DOWN';
  }, 'infinity');
  held.fail(new Error('boom'));
  await down;
  assert.deepEqual(found, [[], 1, 0]);
  assert.equal(users.register(watcher.ctx, 'ann', 2), 'ok');
});

test('dispatch calls once with all entries of a key, and not at all if there are none', async (t) => {
  const system = await startRegistries(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  topics.register(a.ctx, 'news', 'x');
  topics.register(b.ctx, 'news', 'y');
  const calls: unknown[] = [];
  topics.dispatch(a.ctx, 'news', (entries) => {
    calls.push(entries.length);
    for (const { pid, value } of entries) a.ctx.send(pid, 'news', value);
  });
  topics.dispatch(a.ctx, 'none', () => calls.push('none'));
  users.dispatch(a.ctx, 'none', () => calls.push('none'));
  assert.deepEqual(calls, [2]);
  assert.deepEqual([(await mailboxOf(a))[0]?.payload, (await mailboxOf(b))[0]?.payload], ['x', 'y']);
});

test('updateValue changes the value of the caller, and of nobody else', async (t) => {
  const system = await startRegistries(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  users.register(a.ctx, 'ann', 1);
  assert.deepEqual(
    users.updateValue(a.ctx, 'ann', (value) => value + 1),
    { ok: 2 },
  );
  const faulty = (): number => {
    throw new Error('no value');
  };
  assert.throws(() => users.updateValue(a.ctx, 'ann', faulty), /no value/);
  assert.deepEqual(users.updateValue(b.ctx, 'ann', faulty), { error: 'not_registered' });
  assert.deepEqual(users.updateValue(a.ctx, 'bob', faulty), { error: 'not_registered' });
  assert.deepEqual(users.lookup(b.ctx, 'ann'), [{ key: 'ann', pid: a.pid, value: 2 }]);
  assert.deepEqual(users.keys(b.ctx, a.pid), ['ann']);
  a.finish();
  await settle();
  assert.equal(users.count(b.ctx), 0);
});

test('a registry of unique keys answers for names', async (t) => {
  const system = await startRegistries(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  assert.equal(users.whereisName(system.system, 'ann'), undefined);
  assert.equal(users.registerName(a.ctx, 'ann'), true);
  assert.equal(users.registerName(b.ctx, 'ann'), false);
  assert.equal(users.whereisName(b.ctx, 'ann'), a.pid);
  users.unregisterName(b.ctx, 'ann');
  assert.equal(users.whereisName(b.ctx, 'ann'), a.pid);
  users.unregisterName(a.ctx, 'ann');
  assert.equal(users.whereisName(b.ctx, 'ann'), undefined);
  assert.deepEqual(users.via('ann'), { via: users, name: 'ann' });
});

test('listeners learn of each registration and of its end', async (t) => {
  const system = await startRegistries(t);
  const [listener, a] = [await openProcess(system, { name: 'listener' }), await openProcess(system)];
  topics.register(a.ctx, 'news', 'x');
  topics.register(a.ctx, 'old', 'y');
  topics.unregister(a.ctx, 'old');
  users.register(a.ctx, 'ann', 1);
  a.fail(new Error('boom'));
  const entry = { registry: 'topics', pid: a.pid };
  const expected: [keyof RegistryListenerInfo, unknown][] = [
    ['register', { ...entry, key: 'news', value: 'x' }],
    ['register', { ...entry, key: 'old', value: 'y' }],
    ['unregister', { ...entry, key: 'old' }],
    ['unregister', { ...entry, key: 'news' }],
  ];
  assert.deepEqual(
    (await mailboxOf(listener)).map(({ tag, payload }) => [tag, payload]),
    expected,
    'and of no other registry',
  );
  listener.finish();
  await settle();
  const b = await openProcess(system);
  assert.equal(topics.register(b.ctx, 'news', 'z'), 'ok', 'though nobody listens');
});

test('a registry that crashes takes those with it who were registered, and nobody else', async (t) => {
  const system = await startRegistries(t);
  const [held, former, other] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  users.register(held.ctx, 'ann', 1);
  users.register(former.ctx, 'bob', 1);
  users.register(former.ctx, 'eve', 1);
  users.unregister(former.ctx, 'bob');
  users.unregister(former.ctx, 'eve');
  system.system.exitProcess(system.system.whereis('users')!, 'kill');
  await settle();
  assert.deepEqual(
    [held, former, other].map(({ ctx }) => ctx.isAlive(ctx.self)),
    [false, true, true],
  );
  assert.equal(users.count(other.ctx), 0, 'its successor is empty');
  assert.equal(users.register(former.ctx, 'bob', 2), 'ok');
  former.finish();
  await settle();
  assert.equal(users.count(other.ctx), 0);
});

test('a registry that crashes leaves nothing to report but itself, also if somebody listens', async (t) => {
  const system = await startRegistries(t);
  const [listener, held] = [await openProcess(system, { name: 'listener' }), await openProcess(system)];
  topics.register(held.ctx, 'news', 'x');
  const reports: CrashReport[] = [];
  const note = (report: unknown): void => {
    if ((report as CrashReport).system === system.system.name) reports.push(report as CrashReport);
  };
  subscribe(channels.crashReport, note);
  t.after(() => unsubscribe(channels.crashReport, note));
  system.system.exitProcess(system.system.whereis('topics')!, 'kill');
  assert.deepEqual(
    (await mailboxOf(listener)).map(({ tag }) => tag),
    ['register'],
  );
  assert.equal(held.ctx.isAlive(held.pid), false);
  assert.deepEqual(reports, []);
});

test('the exit of a registered process does not touch the registry', async (t) => {
  const system = await startRegistries(t);
  const a = await openProcess(system);
  const before = system.system.whereis('users');
  users.register(a.ctx, 'ann', 1);
  a.fail(new Error('boom'));
  await settle();
  assert.equal(system.system.whereis('users'), before);
});

test('without the registry nothing can be registered or looked up, and a name is free', async (t) => {
  const system = await startTestSystem(t);
  const { ctx } = await openProcess(system);
  for (const attempt of [
    () => users.register(ctx, 'ann', 1),
    () => users.registerName(ctx, 'ann'),
    () => users.unregister(ctx, 'ann'),
    () => users.lookup(ctx, 'ann'),
    () => users.count(ctx),
    () => topics.dispatch(ctx, 'news', () => {}),
  ]) {
    assert.throws(attempt, BadArgError, String(attempt));
  }
  assert.equal(users.whereisName(ctx, 'ann'), undefined);
});

test('the code of a process that has exited cannot register', async (t) => {
  const system = await startRegistries(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  users.register(a.ctx, 'ann', 1);
  a.finish();
  await settle();
  assert.throws(() => users.register(a.ctx, 'ann', 1), { code: 'ERR_EXITED' });
  assert.equal(users.unregister(a.ctx, 'ann'), 'ok');
  assert.equal(users.count(b.ctx), 0);
});

test('two systems have registries of their own', async (t) => {
  const [one, two] = [await startRegistries(t), await startRegistries(t)];
  const [a, b] = [await openProcess(one), await openProcess(two)];
  users.register(a.ctx, 'ann', 1);
  assert.equal(users.register(b.ctx, 'ann', 2), 'ok');
  assert.equal(users.whereisName(one.system, 'ann'), a.pid);
  assert.equal(users.whereisName(two.system, 'ann'), b.pid);
});

test('the kind of keys must be given', () => {
  assert.throws(() => registry('r', { keys: 'both' as 'unique' }), { code: 'ERR_BADARG' });
});
