import assert from 'node:assert/strict';
import { test } from 'node:test';
import { name, type Pid, type Ref } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { mailboxOf, type OpenProcess, openProcess, startTestSystem, tagsOf } from '../support/test-system.ts';

interface Down {
  readonly ref: Ref;
  readonly type: string;
  readonly object: Pid | string;
  readonly reason: unknown;
}

async function downsOf(process: OpenProcess): Promise<Down[]> {
  const downs = (await mailboxOf(process)).filter(({ tag }) => tag === 'DOWN');
  return downs.map(({ payload }) => {
    const { ref, type, object, reason } = payload as Down;
    return { ref, type, object, reason };
  });
}

test('a monitor gives exactly one DOWN with the exit reason', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const ref = a.ctx.monitor(b.pid);
  system.system.exitProcess(b.pid, 'boom');
  assert.deepEqual(await downsOf(a), [{ ref, type: 'process', object: b.pid, reason: 'boom' }]);
  assert.equal(system.system.isAlive(a.pid), true, 'DOWN ends nobody');
});

test('each of several monitors of one process gives its own DOWN', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const refs = [a.ctx.monitor(b.pid), a.ctx.monitor(b.pid), a.ctx.monitor(b.pid)];
  assert.equal(new Set(refs).size, 3);
  b.finish();
  assert.deepEqual(
    (await downsOf(a)).map(({ ref, reason }) => [ref, reason]),
    refs.map((ref) => [ref, 'normal']),
  );
});

test('a monitor of a dead pid or of a free name gives DOWN noproc at once', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  b.finish();
  await settle();
  const refs = [a.ctx.monitor(b.pid), a.ctx.monitor(name<any>('nobody'))];
  assert.deepEqual(await downsOf(a), [
    { ref: refs[0], type: 'process', object: b.pid, reason: 'noproc' },
    { ref: refs[1], type: 'process', object: 'nobody', reason: 'noproc' },
  ]);
});

test('a monitor by name watches the process that holds the name, and DOWN carries the name', async (t) => {
  const system = await startTestSystem(t);
  const [a, b, other] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  b.ctx.register(name('watched'));
  const ref = a.ctx.monitor(name<any>('watched'));
  b.ctx.unregister(name('watched'));
  other.ctx.register(name('watched'));
  other.finish();
  assert.deepEqual(await downsOf(a), []);
  b.fail('boom');
  const downs = await downsOf(a);
  assert.deepEqual(
    downs.map(({ object, ref: its }) => [object, its]),
    [['watched', ref]],
  );
});

test('demonitor with flush removes a DOWN that is queued, and none comes after it', async (t) => {
  const system = await startTestSystem(t);
  const [a, b, c] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  const [fired, other] = [a.ctx.monitor(b.pid), a.ctx.monitor(b.pid)];
  const open = a.ctx.monitor(c.pid);
  b.finish();
  await settle();
  assert.equal(a.ctx.demonitor(fired, { flush: true }), false, 'false: it had fired');
  assert.equal(a.ctx.demonitor(open, { flush: true }), true, 'true: it had not');
  assert.equal(a.ctx.demonitor(open, { flush: true }), false, 'false: there is none any more');
  c.finish();
  assert.deepEqual(
    (await downsOf(a)).map(({ ref }) => ref),
    [other],
  );
});

test('demonitor without flush leaves a DOWN that is queued', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const ref = a.ctx.monitor(b.pid);
  b.finish();
  await settle();
  assert.equal(a.ctx.demonitor(ref), false);
  assert.deepEqual(
    (await downsOf(a)).map((down) => down.ref),
    [ref],
  );
});

test('demonitor with flush is not misled by a message of that tag from user code', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const ref = a.ctx.monitor(b.pid);
  b.finish();
  await settle();
  const forged = a.ctx.monitor(b.pid);
  await mailboxOf(a);
  for (const payload of [undefined, null, 'text', { ref: 'x' }]) a.ctx.send(a.pid, 'DOWN', payload);
  assert.equal(a.ctx.demonitor(ref, { flush: true }), false);
  assert.equal(a.ctx.demonitor(forged, { flush: true }), false);
  assert.equal((await tagsOf(a)).length, 4);
});

test('a monitor with a tag brings its DOWN under that tag, at once too, and demonitor flushes it', async (t) => {
  const system = await startTestSystem(t);
  const [a, b, c] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  const ref = a.ctx.monitor(b.pid, { tag: 'gone' });
  const flushed = a.ctx.monitor(b.pid, { tag: 'gone' });
  const plain = a.ctx.monitor(b.pid);
  b.fail('boom');
  await settle();
  assert.equal(a.ctx.demonitor(flushed, { flush: true }), false);
  const seen = (await mailboxOf(a)).map(({ kind, tag, payload }) => [kind, tag, (payload as Down).ref]);
  assert.deepEqual(seen, [
    ['info', 'gone', ref],
    ['info', 'DOWN', plain],
  ]);
  const late = c.ctx.monitor(b.pid, { tag: 'gone' });
  const atOnce = (await mailboxOf(c)).map(({ tag, payload }) => [tag, { ...(payload as Down) }]);
  assert.deepEqual(atOnce, [['gone', { ref: late, type: 'process', object: b.pid, reason: 'noproc' }]]);
});

test('a monitor is one-way: the death of the watcher does not touch the watched', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system, { trapExit: true })];
  a.ctx.monitor(b.pid);
  a.fail('boom');
  assert.deepEqual(await mailboxOf(b), []);
  assert.equal(system.system.isAlive(b.pid), true);
});

test('a monitor of oneself never fires', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const ref = a.ctx.monitor(a.pid);
  assert.equal(typeof ref, 'number');
  assert.deepEqual(await mailboxOf(a), []);
  a.finish();
  await settle();
  assert.equal(system.system.isAlive(a.pid), false);
});

test('spawnMonitor is one step: a child that fails at once gives DOWN with its real reason', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const { pid, ref } = a.ctx.spawnMonitor((_arg, ctx) => ctx.exit('at once'), undefined);
  assert.deepEqual(await downsOf(a), [{ ref, type: 'process', object: pid, reason: 'at once' }]);
});

test('links learn of an exit before monitors, and both after the name and the pid are gone', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system, { trapExit: true });
  const b = await openProcess(system);
  b.ctx.register(name('b'));
  a.ctx.monitor(b.pid);
  a.ctx.link(b.pid);
  const seen: unknown[] = [];
  const waiting = a.ctx.receive((m) => {
    seen.push(m.tag, system.system.whereis(name('b')), system.system.isAlive(b.pid));
    return m.tag === 'DOWN';
  }, 'infinity');
  system.system.exitProcess(b.pid, 'boom');
  await waiting;
  assert.deepEqual(seen, ['EXIT', undefined, false, 'DOWN', undefined, false]);
});
