import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, isErrorExit, name, supervisor } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { SupervisionTrace, startUnderRoot } from '../support/supervision-trace.ts';
import { exitsOf, mailboxOf, openProcess, reasonsOf, startTestSystem, tagsOf, watch } from '../support/test-system.ts';

test('a link works both ways', async (t) => {
  const system = await startTestSystem(t);
  for (const first of [true, false]) {
    const [a, b] = [await openProcess(system), await openProcess(system)];
    a.ctx.link(b.pid);
    const [dies, follows] = first ? [a, b] : [b, a];
    system.system.exitProcess(dies.pid, 'boom');
    assert.equal(system.system.isAlive(follows.pid), false);
  }
});

test('linking twice makes one link: one EXIT, and one unlink ends it', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system, { trapExit: true });
  const [b, c] = [await openProcess(system), await openProcess(system)];
  a.ctx.link(b.pid);
  a.ctx.link(b.pid);
  b.ctx.link(a.pid);
  b.fail('boom');
  assert.equal((await exitsOf(a)).length, 1);
  a.ctx.link(c.pid);
  a.ctx.link(c.pid);
  a.ctx.unlink(c.pid);
  c.fail('boom');
  assert.deepEqual(await tagsOf(a), []);
});

test('an exit normal does not end a linked process, and is not queued', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  a.ctx.link(b.pid);
  b.finish();
  assert.deepEqual(await mailboxOf(a), []);
  assert.equal(system.system.isAlive(a.pid), true);
});

test('an exit with another reason ends linked processes with it, and goes on through their links', async (t) => {
  const system = await startTestSystem(t);
  const [a, b, c] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  const end = await openProcess(system, { trapExit: true });
  a.ctx.link(b.pid);
  b.ctx.link(c.pid);
  c.ctx.link(end.pid);
  const deaths = await Promise.all([a, b, c].map(({ pid }) => watch(system, pid)));
  system.system.exitProcess(a.pid, { deep: ['reason'] });
  assert.deepEqual(await exitsOf(end), [{ from: c.pid, reason: { deep: ['reason'] } }]);
  for (const { reasons } of deaths) assert.deepEqual(reasons, [{ deep: ['reason'] }]);
});

test('a ring of linked processes ends as a whole, each once', async (t) => {
  const system = await startTestSystem(t);
  const ring = await Promise.all(Array.from({ length: 50 }, () => openProcess(system)));
  for (const [i, { ctx }] of ring.entries()) ctx.link(ring[(i + 1) % ring.length]?.pid ?? ctx.self);
  const deaths = await Promise.all(ring.map(({ pid }) => watch(system, pid)));
  system.system.exitProcess(ring[7]?.pid ?? assert.fail(), 'boom');
  await settle();
  for (const { reasons } of deaths) assert.deepEqual(reasons, ['boom']);
});

test('a long chain of links ends without recursion on the stack', async (t) => {
  const system = await startTestSystem(t);
  const chain = async (left: number, ctx: Context): Promise<void> => {
    if (left > 0) ctx.spawnLink(chain, left - 1);
    await new Promise(() => {});
  };
  const before = system.system.processCount;
  const first = system.opener.spawn(chain, 20_000);
  await settle(60);
  assert.equal(system.system.processCount, before + 20_001);
  system.system.exitProcess(first, 'boom');
  assert.equal(system.system.processCount, before);
});

test('a process that traps exits gets EXIT for every reason and lives on', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system, { trapExit: true });
  const reasons = ['normal', 'shutdown', { shutdown: 'x' }, 'boom', 'killed', undefined, 42];
  for (const reason of reasons) a.ctx.spawnLink((_arg, ctx) => ctx.exit(reason), undefined);
  await settle();
  const exits = await reasonsOf(a);
  assert.deepEqual(exits, reasons);
  assert.equal(system.system.isAlive(a.pid), true);
});

test('kill cannot be trapped: the process exits killed, and links and monitors see killed', async (t) => {
  const system = await startTestSystem(t);
  const victim = await openProcess(system, { trapExit: true });
  const linked = await openProcess(system, { trapExit: true });
  linked.ctx.link(victim.pid);
  linked.ctx.monitor(victim.pid);
  system.system.exitProcess(victim.pid, 'kill');
  const seen = await mailboxOf(linked);
  assert.deepEqual(
    seen.map(({ tag, payload }) => [tag, (payload as { reason: unknown }).reason]),
    [
      ['EXIT', 'killed'],
      ['DOWN', 'killed'],
    ],
  );
  assert.deepEqual(await mailboxOf({ ctx: linked.ctx }), [], 'nothing was queued at the victim for it to trap');
});

test('exit kill by the process itself is an ordinary reason: links see kill and can trap it', async (t) => {
  const system = await startTestSystem(t);
  const trapping = await openProcess(system, { trapExit: true });
  const plain = await openProcess(system);
  const { reasons } = await watch(system, plain.pid);
  const suicide = (peer: typeof plain): Promise<void> =>
    new Promise((done) => {
      peer.ctx.spawnLink((_arg, ctx) => {
        done();
        return ctx.exit('kill');
      }, undefined);
    });
  await suicide(trapping);
  await suicide(plain);
  assert.deepEqual(await reasonsOf(trapping), ['kill']);
  assert.deepEqual(reasons, ['kill']);
});

test('exitProcess with normal is ignored by another process, and is an EXIT for one that traps', async (t) => {
  const system = await startTestSystem(t);
  const [sender, plain] = [await openProcess(system), await openProcess(system)];
  const trapping = await openProcess(system, { trapExit: true });
  sender.ctx.exitProcess(plain.pid, 'normal');
  sender.ctx.exitProcess(trapping.pid, 'normal');
  await settle();
  assert.equal(system.system.isAlive(plain.pid), true);
  assert.deepEqual(await exitsOf(trapping), [{ from: sender.pid, reason: 'normal' }]);
});

test('exitProcess normal to oneself ends a process that does not trap and is an EXIT for one that does', async (t) => {
  const system = await startTestSystem(t);
  const watcher = await openProcess(system);
  const log: unknown[] = [];
  watcher.ctx.spawnMonitor((_arg, ctx) => {
    ctx.exitProcess(ctx.self, 'normal');
    log.push('not reached');
  }, undefined);
  const trapping = await openProcess(system, { trapExit: true });
  trapping.ctx.exitProcess(trapping.pid, 'normal');
  assert.deepEqual(await reasonsOf(watcher), ['normal']);
  assert.deepEqual(log, []);
  assert.deepEqual(await exitsOf(trapping), [{ from: trapping.pid, reason: 'normal' }]);
});

test('the code after an exit that a process brings on itself does not run, also after an await', async (t) => {
  const system = await startTestSystem(t);
  const watcher = await openProcess(system);
  const log: string[] = [];
  for (const reason of ['boom', 'kill']) {
    watcher.ctx.spawnMonitor(async (_arg, ctx) => {
      await settle(1);
      ctx.exitProcess(ctx.self, reason);
      log.push('not reached');
    }, undefined);
  }
  await settle();
  const reasons = await reasonsOf(watcher);
  assert.deepEqual(reasons.sort(), ['boom', 'killed']);
  assert.deepEqual(log, []);
});

test('an exit that comes back through a link ends the process when its code yields, not in the middle', async (t) => {
  const system = await startTestSystem(t);
  const peer = await openProcess(system);
  const watcher = await openProcess(system);
  const log: unknown[] = [];
  const { pid } = watcher.ctx.spawnMonitor((_arg, ctx) => {
    ctx.link(peer.pid);
    ctx.exitProcess(peer.pid, 'boom');
    log.push(ctx.isAlive(ctx.self), ctx.isAlive(peer.pid));
  }, undefined);
  const [reason] = await reasonsOf(watcher);
  assert.deepEqual(log, [true, false]);
  assert.equal(reason, 'boom');
  assert.equal(system.system.isAlive(pid), false);
});

test('an exit signal ends a process that does not trap; its terminate does not run', async (t) => {
  const system = await startTestSystem(t);
  const trace = new SupervisionTrace(t, system.system.name);
  const ran: unknown[] = [];
  const spec = trace.worker('a', { restart: 'temporary', terminate: (reason) => ran.push(reason) });
  const started = await system.opener.start(spec.start.behaviour, spec.start.arg);
  assert.ok(started !== 'ignore' && 'ok' in started);
  system.system.exitProcess(started.ok, 'boom');
  await settle();
  assert.deepEqual(trace.take(), ['init a#1', 'exit a#1 boom']);
  assert.deepEqual(ran, []);
});

test('a link to a dead pid gives EXIT noproc to a process that traps exits', async (t) => {
  const system = await startTestSystem(t);
  const dead = await openProcess(system);
  dead.finish();
  await settle();
  const a = await openProcess(system, { trapExit: true });
  assert.equal(a.ctx.link(dead.pid), undefined);
  assert.deepEqual(await exitsOf(a), [{ from: dead.pid, reason: 'noproc' }]);
});

test('a link to a dead pid throws NoProcError in a process that does not trap, and ends it if uncaught', async (t) => {
  const system = await startTestSystem(t);
  const dead = await openProcess(system);
  dead.finish();
  await settle();
  const a = await openProcess(system);
  assert.throws(() => a.ctx.link(dead.pid), { name: 'NoProcError', code: 'ERR_NOPROC' });
  assert.equal(system.system.isAlive(a.pid), true);
  const { pid } = a.ctx.spawnMonitor((_arg, ctx) => ctx.link(dead.pid), undefined);
  const [reason] = await reasonsOf(a);
  assert.ok(isErrorExit(reason));
  assert.equal((reason.error as { code: string }).code, 'ERR_NOPROC');
  assert.equal(system.system.isAlive(pid), false);
});

test('unlink leaves an EXIT in the mailbox that is already there, and lets none come after it', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system, { trapExit: true });
  const [b, c] = [await openProcess(system), await openProcess(system)];
  a.ctx.link(b.pid);
  a.ctx.link(c.pid);
  system.system.exitProcess(b.pid, 'boom');
  a.ctx.unlink(b.pid);
  a.ctx.unlink(c.pid);
  system.system.exitProcess(c.pid, 'boom');
  assert.deepEqual(await exitsOf(a), [{ from: b.pid, reason: 'boom' }]);
});

test('to stop trapping exits leaves the EXIT messages that are queued', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system, { trapExit: true });
  const b = await openProcess(system);
  system.system.exitProcess(a.pid, 'queued');
  assert.equal(a.ctx.trapExit(false), true, 'it returns the earlier setting');
  assert.equal(a.ctx.trapExit(false), false);
  assert.deepEqual(await reasonsOf(a), ['queued']);
  a.ctx.link(b.pid);
  system.system.exitProcess(b.pid, 'boom');
  assert.equal(system.system.isAlive(a.pid), false);
});

test('a link to oneself does nothing', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system, { trapExit: true }), await openProcess(system)];
  a.ctx.link(a.pid);
  b.ctx.link(b.pid);
  assert.deepEqual(await mailboxOf(a), []);
  const { reasons } = await watch(system, b.pid);
  b.fail('boom');
  await settle();
  assert.equal(reasons.length, 1);
});

test('spawnLink is one step: a child that fails at once gives its real reason, never noproc', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system, { trapExit: true });
  const child = a.ctx.spawnLink((_arg, ctx) => ctx.exit('at once'), undefined);
  assert.deepEqual(await exitsOf(a), [{ from: child, reason: 'at once' }]);
});

test('the children of a supervisor that is killed exit killed; those that trap exits run terminate', async (t) => {
  const system = await startTestSystem(t);
  const trace = new SupervisionTrace(t, system.system.name);
  const spec = supervisor('sup', { name: 'sup', restart: 'temporary' }, [
    trace.worker('plain'),
    trace.worker('trapping', { trapExit: true }),
  ]);
  await startUnderRoot(system, spec);
  trace.take();
  system.system.exitProcess(system.system.whereis(name('sup')) ?? assert.fail(), 'kill');
  await settle();
  assert.deepEqual(
    trace.take().sort(),
    [
      'exit sup killed',
      'report child_terminated sup killed',
      'exit plain#1 killed',
      'terminate trapping#1 killed',
      'exit trapping#1 killed',
    ].sort(),
  );
});

test('a supervisor ignores an exit shutdown of a process that is not its parent', async (t) => {
  const system = await startTestSystem(t);
  const trace = new SupervisionTrace(t, system.system.name);
  const pid = await startUnderRoot(system, supervisor('sup', {}, [trace.worker('a')]));
  trace.take();
  const stranger = await openProcess(system);
  stranger.ctx.exitProcess(pid, 'shutdown');
  stranger.ctx.exitProcess(pid, 'boom');
  await settle();
  assert.equal(system.system.isAlive(pid), true);
  assert.deepEqual(trace.take(), []);
});

test('an exit reason is any term and arrives as it was given', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system, { trapExit: true });
  const reason = { deep: [{ map: new Map([[1, 'one']]) }, null, undefined, 10n] };
  a.ctx.spawnLink((_arg, ctx) => ctx.exit(reason), undefined);
  a.ctx.spawnLink(() => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    throw Object.assign(new Error('circular'), { cause: loop });
  }, undefined);
  const [first, second] = await reasonsOf(a);
  assert.equal(first, reason);
  assert.ok(isErrorExit(second));
  assert.equal((second.error as Error).message, 'circular');
});
