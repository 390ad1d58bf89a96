import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgError, type Context, type ErrorExit, name, type Pid, task } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { exitsOf, mailboxOf, openProcess, reasonsOf, startTestSystem, tagsOf, watch } from '../support/test-system.ts';

test('messages of one process to another keep their order', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  for (let i = 0; i < 200; i++) a.ctx.send(b.pid, `m${i}`);
  assert.deepEqual(
    await tagsOf(b),
    Array.from({ length: 200 }, (_, i) => `m${i}`),
  );
});

test('messages, exit signals and DOWN of one process keep their order at the receiver', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const b = await openProcess(system, { trapExit: true });
  b.ctx.monitor(a.pid);
  a.ctx.send(b.pid, 'm1');
  a.ctx.exitProcess(b.pid, 'first');
  a.ctx.send(b.pid, 'm2');
  a.ctx.link(b.pid);
  a.ctx.exitProcess(b.pid, 'second');
  a.ctx.send(b.pid, 'm3');
  a.finish();
  const seen = (await mailboxOf(b)).map(({ tag, payload }) =>
    tag === 'EXIT' ? (payload as ErrorExit & any).reason : tag,
  );
  assert.deepEqual(seen, ['m1', 'first', 'm2', 'second', 'm3', 'normal', 'DOWN']);
});

test('a link that was undone before the exit brings no exit signal, one that was made after it does', async (t) => {
  const system = await startTestSystem(t);
  const [a, c] = [await openProcess(system), await openProcess(system)];
  const b = await openProcess(system, { trapExit: true });
  a.ctx.link(b.pid);
  a.ctx.unlink(b.pid);
  c.ctx.link(b.pid);
  a.fail('bang');
  c.fail('boom');
  assert.deepEqual(
    (await exitsOf(b)).map(({ from }) => from),
    [c.pid],
  );
});

test('a message to a dead pid is lost without an error', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  b.finish();
  await settle();
  assert.equal(system.system.isAlive(b.pid), false);
  assert.equal(a.ctx.send(b.pid, 'late', 1), undefined);
  assert.equal(a.ctx.cast(b.pid, 'late', 1), undefined);
  assert.equal(system.system.send(b.pid, 'late'), undefined);
});

test('a message to a name that nobody holds throws BadArgError in the sender', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  assert.throws(() => a.ctx.send(name<any>('nobody'), 'm'), BadArgError);
  assert.throws(() => system.system.send(name<any>('nobody'), 'm'), { code: 'ERR_BADARG', message: /nobody/ });
  assert.equal(system.system.isAlive(a.pid), true);
});

test('receive takes the first match and leaves the others in order', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  for (const tag of ['a', 'b', 'c', 'b']) a.ctx.send(a.pid, tag, tag === 'b' ? 'payload' : undefined);
  const taken = await a.ctx.receive((m) => m.tag === 'b', 0);
  assert.deepEqual(taken, { kind: 'info', tag: 'b', payload: 'payload' });
  assert.deepEqual(await tagsOf(a), ['a', 'c', 'b']);
});

test('receive with time 0 takes what is there and else times out at once', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  assert.equal(await a.ctx.receive(() => true, 0), 'timeout');
  a.ctx.send(a.pid, 'here');
  assert.equal(((await a.ctx.receive(() => true, 0)) as { tag: string }).tag, 'here');
  assert.equal(system.clock.pending, 0, 'no timer was needed');
});

test('receive waits for its message, and the others that come meanwhile stay', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const waiting = a.ctx.receive((m) => m.tag === 'wanted', 1_000);
  a.ctx.send(a.pid, 'other');
  await system.clock.advance(999);
  a.ctx.send(a.pid, 'wanted');
  assert.equal(((await waiting) as { tag: string }).tag, 'wanted');
  await system.clock.advance(10);
  assert.deepEqual(await tagsOf(a), ['other']);
});

test('receive times out after its time and takes nothing then', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  let outcome: unknown = 'pending';
  void a.ctx
    .receive((m) => m.tag === 'wanted', 1_000)
    .then((message) => {
      outcome = message;
    });
  await system.clock.advance(999);
  assert.equal(outcome, 'pending');
  await system.clock.advance(1);
  assert.equal(outcome, 'timeout');
  a.ctx.send(a.pid, 'wanted');
  assert.deepEqual(await tagsOf(a), ['wanted']);
});

test('a message that nothing matches stays in the mailbox', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  for (let i = 0; i < 100; i++) a.ctx.send(a.pid, 'unmatched', i);
  for (let i = 0; i < 10; i++) assert.equal(await a.ctx.receive((m) => m.tag === 'x', 0), 'timeout');
  assert.deepEqual(
    (await mailboxOf(a)).map(({ payload }) => payload),
    Array.from({ length: 100 }, (_, i) => i),
  );
});

test('a matcher that throws fails the receive, not the sender, and no message is lost', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const matcher = (): boolean => {
    throw new Error('bad matcher');
  };
  const waiting = a.ctx.receive(matcher, 'infinity');
  b.ctx.send(a.pid, 'm');
  await assert.rejects(waiting, /bad matcher/);
  await assert.rejects(a.ctx.receive(matcher, 0), /bad matcher/);
  assert.deepEqual(await tagsOf(a), ['m']);
  await assert.rejects(
    (() => {
      void a.ctx.receive(() => false, 'infinity');
      return a.ctx.receive(() => true, 0);
    })(),
    BadArgError,
    'one receive at a time',
  );
});

test('a function that returns exits normal, one that throws exits with the error and its stack', async (t) => {
  const system = await startTestSystem(t);
  const watcher = await openProcess(system);
  const ends: readonly ((arg: unknown, ctx: Context) => unknown)[] = [
    () => 'anything',
    async () => 'anything',
    () => {
      throw Object.assign(new TypeError('boom'), { code: 'E_BOOM' });
    },
    async () => {
      throw new RangeError('later', { cause: new Error('before') });
    },
    () => {
      throw { thrown: 'term' }; // not an Error: OTP's {nocatch, Term} is not told apart
    },
    (_arg, ctx) => ctx.exit({ any: 'term' }),
    async (_arg, ctx) => {
      await settle();
      ctx.exit('later');
    },
  ];
  for (const end of ends) watcher.ctx.spawnMonitor(end, undefined);
  await settle(12);
  const reasons = await reasonsOf(watcher);
  const plain = reasons.map((reason) => {
    if (typeof reason !== 'object' || reason === null || !('stack' in reason)) return reason;
    assert.equal(typeof reason.stack, 'string');
    return (reason as unknown as ErrorExit).error;
  });
  const expected = [
    'normal',
    { name: 'TypeError', message: 'boom', code: 'E_BOOM' },
    { thrown: 'term' },
    { any: 'term' },
    'normal',
    { name: 'RangeError', message: 'later', cause: { name: 'Error', message: 'before' } },
    'later',
  ];
  const key = (value: unknown): string => JSON.stringify(value);
  assert.deepEqual(plain.map(key).sort(), expected.map(key).sort());
  const thrown = reasons.find((reason) => (reason as Partial<ErrorExit>).stack?.includes('boom'));
  assert.match((thrown as ErrorExit).stack, /TypeError: boom\n\s+at /);
});

test('spawn returns a pid before the function runs', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const order: string[] = [];
  a.ctx.spawn(() => order.push('ran'), undefined);
  order.push('returned');
  await settle();
  assert.deepEqual(order, ['returned', 'ran']);
});

test('a message sent right after spawn is there when the function runs', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  let got: unknown;
  const pid = a.ctx.spawn(async (_arg, ctx) => {
    got = await ctx.receive(() => true, 0);
  }, undefined);
  a.ctx.send(pid, 'early');
  await settle();
  assert.deepEqual(got, { kind: 'info', tag: 'early', payload: undefined });
});

test('a function that fails at once still gives its monitor one DOWN with the reason', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const missing = undefined as unknown as () => void;
  const { pid, ref } = a.ctx.spawnMonitor(() => missing(), undefined);
  const messages = await mailboxOf(a);
  assert.equal(messages.length, 1);
  const down = messages[0]?.payload as { ref: number; object: Pid; reason: ErrorExit };
  assert.equal(down.ref, ref);
  assert.equal(down.object, pid);
  assert.equal((down.reason.error as { name: string }).name, 'TypeError');
});

test('pids are never reused, though the places of dead processes are', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const seen = new Set<string>();
  const slots = new Set<number>();
  for (let i = 0; i < 50; i++) {
    const pid = a.ctx.spawn(() => {}, undefined);
    seen.add(pid.toString());
    slots.add(pid.slot);
    await settle();
  }
  assert.equal(seen.size, 50);
  assert.equal(slots.size, 1, 'this test needs one place used again and again');
});

test('a message to a dead incarnation does not reach the process that took its place', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const old = await openProcess(system);
  old.finish();
  await settle();
  const successor = await openProcess(system, { trapExit: true });
  assert.equal(successor.pid.slot, old.pid.slot, 'this test needs the place of the old process');
  a.ctx.send(old.pid, 'm');
  a.ctx.cast(old.pid, 'm');
  a.ctx.exitProcess(old.pid, 'boom');
  await assert.rejects(a.ctx.call(old.pid, 'm'), { code: 'ERR_CALL_NOPROC' });
  assert.deepEqual(await tagsOf(successor), []);
});

test('the context of a dead process is closed: nothing its code does reaches the living', async (t) => {
  const system = await startTestSystem(t);
  const [dead, alive] = [await openProcess(system), await openProcess(system, { trapExit: true })];
  const { ctx } = dead;
  const alias = ctx.alias();
  const timer = ctx.sendAfter(1_000, 'tick', undefined, name<any>('opener'));
  dead.finish();
  await settle();
  const attempts: Record<string, () => unknown> = {
    call: () => ctx.call(alive.pid, 'x'),
    cast: () => ctx.cast(alive.pid, 'x'),
    send: () => ctx.send(alive.pid, 'x'),
    sendRequest: () => ctx.sendRequest(alive.pid, 'x'),
    sendInterval: () => ctx.sendInterval(1, 'x', undefined, alive.pid),
    applyAfter: () => ctx.applyAfter(1, () => {}, undefined),
    alias: () => ctx.alias(),
    unalias: () => ctx.unalias(alias),
    start: () => ctx.start(task.child(() => {}).start.behaviour, undefined),
    startLink: () => ctx.startLink(task.child(() => {}).start.behaviour, undefined),
    replyTo: () => ctx.replyTo({ pid: alive.pid, ref: 1 }, 'x'),
    sendAfter: () => ctx.sendAfter(1, 'x', undefined, alive.pid),
    startTimer: () => ctx.startTimer(1, 'x', alive.pid),
    cancelTimer: () => ctx.cancelTimer(timer),
    link: () => ctx.link(alive.pid),
    unlink: () => ctx.unlink(alive.pid),
    trapExit: () => ctx.trapExit(true),
    monitor: () => ctx.monitor(alive.pid),
    demonitor: () => ctx.demonitor(1),
    exit: () => ctx.exit('x'),
    exitProcess: () => ctx.exitProcess(alive.pid, 'x'),
    spawn: () => ctx.spawn(() => {}, undefined),
    spawnLink: () => ctx.spawnLink(() => {}, undefined),
    spawnMonitor: () => ctx.spawnMonitor(() => {}, undefined),
    register: () => ctx.register(name('late'), alive.pid),
    unregister: () => ctx.unregister(name('opener')),
    setLabel: () => ctx.setLabel('late'),
    receive: () => ctx.receive(() => true, 0),
    openPort: () => ctx.openPort({ close: () => {} }),
    newTable: () => ctx.newTable('late'),
  };
  for (const [method, attempt] of Object.entries(attempts)) {
    assert.throws(attempt, { name: 'ExitedError', code: 'ERR_EXITED' }, method);
  }
  await system.clock.advance(10);
  assert.deepEqual(await tagsOf(alive), []);
  assert.equal(ctx.isAlive(ctx.self), false);
});

test('a pending receive of a dead process never settles', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const settled: unknown[] = [];
  const note = (outcome: unknown): void => {
    settled.push(outcome);
  };
  void a.ctx.receive(() => true, 1_000).then(note, note);
  system.system.exitProcess(a.pid, 'kill');
  await settle();
  system.system.send(a.pid, 'late');
  await system.clock.advance(2_000);
  assert.deepEqual(settled, []);
});

test('the signal of a context is aborted with the exit reason', async (t) => {
  const system = await startTestSystem(t);
  const [early, late] = [await openProcess(system), await openProcess(system)];
  const { signal } = early.ctx;
  assert.equal(signal.aborted, false);
  system.system.exitProcess(early.pid, 'boom');
  await settle();
  assert.equal(signal.aborted, true);
  assert.equal(signal.reason, 'boom');
  late.finish();
  await settle();
  assert.equal(late.ctx.signal.aborted, true, 'also when it is first asked for after the exit');
});

test('a process exits once: the first reason stands', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const { reasons } = await watch(system, a.pid);
  system.system.exitProcess(a.pid, 'first');
  system.system.exitProcess(a.pid, 'second');
  a.fail(new Error('third'));
  await settle();
  assert.deepEqual(reasons, ['first']);
});

test('a pid prints as text and survives JSON as text', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  assert.match(String(a.pid), /^<0\.\d+>$/);
  assert.equal(JSON.stringify({ pid: a.pid }), `{"pid":"${a.pid}"}`);
});

test('a call to a dead pid or to a free name fails with noproc', async (t) => {
  const system = await startTestSystem(t);
  const dead = await openProcess(system);
  dead.finish();
  await settle();
  for (const dest of [dead.pid, name<any>('nobody')]) {
    await assert.rejects(system.system.call(dest, 'x'), {
      code: 'ERR_CALL_NOPROC',
      reason: 'noproc',
      dest: String(dest),
      tag: 'x',
    });
  }
});

test('cast never fails, also to dead and unknown processes', async (t) => {
  const system = await startTestSystem(t);
  const dead = await openProcess(system);
  dead.finish();
  await settle();
  assert.equal(system.opener.cast(dead.pid, 'x'), undefined);
  assert.equal(system.opener.cast(name<any>('nobody'), 'x'), undefined);
  assert.equal(system.system.cast(name<any>('nobody'), 'x'), undefined);
});

test('a call that was taken by receive carries from, and can be answered', async (t) => {
  const system = await startTestSystem(t);
  const [caller, server] = [await openProcess(system), await openProcess(system)];
  const answer = caller.ctx.call(server.pid, 'question', 'what?');
  const message = await server.ctx.receive((m) => m.kind === 'call', 'infinity');
  assert.ok(message !== 'timeout' && message.from !== undefined);
  assert.deepEqual([message.tag, message.payload, message.from.pid], ['question', 'what?', caller.pid]);
  server.ctx.replyTo(message.from, 'that');
  assert.equal(await answer, 'that');
});
