import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  child,
  genServer,
  ignore,
  name,
  noreply,
  Pid,
  StartError,
  startChild,
  startSystem,
  supervisor,
} from '../../runtime/index.ts';
import { deepFreeze, settle, simulatedClock } from '../../runtime/testing.ts';
import { runProgram } from '../support/child-program.ts';
import { SupervisionTrace, startUnderRoot } from '../support/supervision-trace.ts';
import { exitsOf, mailboxOf, openProcess, startTestSystem, systemName } from '../support/test-system.ts';

test('two systems do not see each other: not by name, not by pid, not by table', async (t) => {
  const [one, two] = [await startTestSystem(t), await startTestSystem(t)];
  const here = await openProcess(one, { trapExit: true, name: 'same' });
  const there = await openProcess(two, { trapExit: true, name: 'same' });
  here.ctx.newTable('table').set('key', 1);
  assert.equal(one.system.whereis(name('same')), here.pid);
  assert.equal(two.system.whereis(name('same')), there.pid);
  assert.equal(two.system.table('table'), undefined);
  assert.equal(two.system.isAlive(here.pid), false);
  there.ctx.send(here.pid, 'm');
  there.ctx.exitProcess(here.pid, 'kill');
  two.system.exitProcess(here.pid, 'kill');
  const ref = there.ctx.monitor(here.pid);
  there.ctx.link(here.pid);
  await assert.rejects(there.ctx.call(here.pid, 'x'), { code: 'ERR_CALL_NOPROC' });
  assert.deepEqual(await mailboxOf(here), []);
  assert.equal(one.system.isAlive(here.pid), true);
  const seen = (await mailboxOf(there)).map(({ tag, payload }) => [tag, (payload as { reason: unknown }).reason]);
  assert.deepEqual(seen, [
    ['DOWN', 'noproc'],
    ['EXIT', 'noproc'],
  ]);
  assert.equal(typeof ref, 'number');
});

test('two systems of one name are two incarnations: their pids differ', async (t) => {
  const clock = simulatedClock();
  const [one, two] = [
    await startSystem({ name: 'twin', clock, children: [] }),
    await startSystem({ name: 'twin', clock, children: [] }),
  ];
  t.after(() => Promise.all([one.stop(), two.stop()]));
  assert.notEqual(one.root.system, two.root.system);
  assert.equal(two.isAlive(one.root), false);
});

test('stopping one system leaves the other alone', async (t) => {
  const [one, two] = [await startTestSystem(t), await startTestSystem(t)];
  await one.system.stop();
  const process = await openProcess(two);
  assert.equal(two.system.isAlive(process.pid), true);
  assert.equal(one.system.processCount, 0);
});

test('stop ends the tree in reverse start order with shutdown, and everything else with it', async (t) => {
  const name_ = systemName();
  const trace = new SupervisionTrace(t, name_);
  const system = await startTestSystem(t, {
    name: name_,
    children: [
      supervisor('s1', {}, [trace.worker('a', { trapExit: true }), trace.worker('b', { trapExit: true })]),
      trace.worker('c', { trapExit: true }),
    ],
  });
  const outside = await openProcess(system);
  trace.take();
  await Promise.all([system.system.stop(), system.system.stop()]);
  assert.deepEqual(
    trace.take().filter((line) => line.startsWith('exit')),
    ['exit c#1 shutdown', 'exit b#1 shutdown', 'exit a#1 shutdown', 'exit s1 shutdown', 'exit opener shutdown'],
  );
  assert.equal(await system.system.terminated, 'shutdown');
  assert.equal(system.system.processCount, 0);
  assert.equal(outside.ctx.isAlive(outside.pid), false);
  assert.equal(system.clock.pending, 0);
  await system.system.stop();
});

test('what a stopped system answers', async (t) => {
  const { system } = await startTestSystem(t);
  const { root } = system;
  await system.stop();
  await assert.rejects(system.call(root, 'x'), { code: 'ERR_CALL_NOPROC' });
  assert.throws(() => system.send(root, 'x'), { code: 'ERR_EXITED' });
  assert.equal(system.cast(root, 'x'), undefined);
  assert.equal(system.exitProcess(root, 'kill'), undefined);
  assert.equal(system.whereis(name('opener')), undefined);
  assert.equal(system.table('x'), undefined);
  await assert.rejects(system.tree(), { code: 'ERR_CALL_NOPROC' });
});

test('a system that cannot start rejects with StartError, and leaves nothing behind', async (t) => {
  const name_ = systemName();
  const trace = new SupervisionTrace(t, name_);
  const clock = simulatedClock();
  const before = process.getActiveResourcesInfo().length;
  const children = [trace.worker('a'), trace.worker('b', { plan: [{ stop: 'no' }] })];
  await assert.rejects(startSystem({ name: name_, clock, children }), (error: StartError) => {
    assert.ok(error instanceof StartError);
    assert.equal(error.code, 'ERR_START');
    assert.deepEqual(error.reason, { shutdown: { failed_to_start_child: { id: 'b', reason: 'no' } } });
    assert.match(error.message, /"id":"b"/);
    return true;
  });
  assert.deepEqual(trace.take().slice(-1), ['exit a#1 shutdown']);
  assert.equal(clock.pending, 0);
  assert.ok(process.getActiveResourcesInfo().length <= before);
});

test('a root that gives up ends the system: terminated tells the reason', async (t) => {
  const name_ = systemName();
  const trace = new SupervisionTrace(t, name_);
  const system = await startTestSystem(t, { name: name_, intensity: 0, children: [trace.worker('a')] });
  system.system.cast(name<any>('a'), 'stop', 'boom');
  assert.equal(await system.system.terminated, 'shutdown');
  assert.equal(system.system.processCount, 0);
});

test('killing the first process of a system ends the system', async (t) => {
  const { system } = await startTestSystem(t);
  system.exitProcess(system.whereis(name('init')) ?? assert.fail(), 'kill');
  assert.equal(await system.terminated, 'killed');
  await system.stop();
  assert.equal(system.processCount, 0);
});

test('a system whose children ignore runs on with none', async (t) => {
  const Ignoring = genServer(import.meta, 'Ignoring', { init: () => ignore() });
  const { system } = await startTestSystem(t, { children: [child(Ignoring, undefined)] });
  assert.equal(system.isAlive(system.root), true);
});

test('tree shows the supervision tree in start order', async (t) => {
  const name_ = systemName();
  const trace = new SupervisionTrace(t, name_);
  const pool = supervisor('pool', { name: 'pool', strategy: 'simple_one_for_one' }, [trace.template({ id: 'w' })]);
  const inner = supervisor('inner', { strategy: 'rest_for_one' }, [
    trace.worker('a'),
    trace.worker('b', { plan: ['ignore'] }),
  ]);
  const { system } = await startTestSystem(t, { name: name_, children: [inner, pool] });
  await startChild(system, name<any>('pool'), trace.start('x'));
  const shape = ({ id, pid, type, strategy, children }: Awaited<ReturnType<typeof system.tree>>): unknown => [
    id,
    pid instanceof Pid ? 'runs' : pid,
    type,
    strategy,
    children.map(shape),
  ];
  assert.deepEqual(shape(await system.tree()), [
    'root',
    'runs',
    'supervisor',
    undefined,
    [
      ['opener', 'runs', 'worker', undefined, []],
      [
        'inner',
        'runs',
        'supervisor',
        'rest_for_one',
        [
          ['a', 'runs', 'worker', undefined, []],
          ['b', undefined, 'worker', undefined, []],
        ],
      ],
      ['pool', 'runs', 'supervisor', 'simple_one_for_one', [['w', 'runs', 'worker', undefined, []]]],
    ],
  ]);
});

test('onSend sees the payload of every message: casts, calls, replies, info and timers', async (t) => {
  const sent: unknown[] = [];
  const system = await startTestSystem(t, { onSend: (payload) => sent.push(payload) });
  const [a, b] = [await openProcess(system), await openProcess(system)];
  sent.length = 0;
  a.ctx.cast(b.pid, 'x', 'cast');
  a.ctx.send(b.pid, 'x', 'info');
  a.ctx.sendAfter(1, 'x', 'timer');
  a.ctx.startTimer(1, 'start timer');
  const answer = a.ctx.call(b.pid, 'x', 'call');
  const message = await b.ctx.receive(({ kind }) => kind === 'call', 'infinity');
  assert.ok(message !== 'timeout' && message.from !== undefined);
  b.ctx.replyTo(message.from, 'reply');
  assert.equal(await answer, 'reply');
  await system.clock.advance(1);
  const flat = sent.map((payload) => (typeof payload === 'object' ? JSON.stringify(payload) : payload)).join();
  for (const part of ['cast', 'info', 'timer', 'start timer', 'call', 'reply']) assert.ok(flat.includes(part), part);
});

test('with deepFreeze as onSend a change to a message that was sent throws', async (t) => {
  const system = await startTestSystem(t, { onSend: deepFreeze });
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const payload = { list: [1], inner: { n: 1 } };
  a.ctx.send(b.pid, 'x', payload);
  assert.throws(() => payload.list.push(2), TypeError);
  assert.throws(() => {
    payload.inner.n = 2;
  }, TypeError);
});

test('messages go by reference: the receiver gets the very object', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const payload = { big: new Map() };
  a.ctx.send(b.pid, 'x', payload);
  assert.equal((await mailboxOf(b))[0]?.payload, payload);
});

test('a running system holds the program open, a stopped one lets it end by itself', async () => {
  const end = await runProgram(`
    const Server = beamish.genServer(meta, 'Server', {
      init: (s, ctx) => { ctx.trapExit(true); ctx.sendAfter(3_600_000, 'tick'); return s; },
      handleCall: { never: (s) => beamish.noreply(s) },
    });
    const children = [beamish.child(Server, 0, { name: 'a', attribute: true, handlerTimeoutMs: 3_600_000 })];
    const system = await beamish.startSystem({ children, onUnattributedError: () => {}, signals: ['SIGTERM'] });
    system.call('a', 'never', undefined, { timeoutMs: 3_600_000 }).catch((error) => console.log(error.code));
    setImmediate(() => setImmediate(async () => {
      console.log('open', process.getActiveResourcesInfo().includes('Timeout'));
      await system[Symbol.asyncDispose]();
      const events = ['uncaughtException', 'unhandledRejection', 'SIGTERM'];
      console.log('listeners', events.map((event) => process.listenerCount(event)).join());
    }));
  `);
  assert.deepEqual(end, {
    code: 0,
    signal: null,
    lines: ['open true', 'ERR_CALL_EXIT', 'listeners 0,0,0'],
    errors: '',
  });
});

test('a program whose root gave up ends by itself', async () => {
  const end = await runProgram(`
    const Server = beamish.genServer(meta, 'Server', {
      init: (s) => s, handleCast: { crash: () => { throw new Error('boom'); } },
    });
    const system = await beamish.startSystem({ intensity: 0, children: [beamish.child(Server, 0, { name: 'a' })] });
    system.cast('a', 'crash');
    console.log(await system.terminated, system.processCount);
  `);
  assert.deepEqual(end, { code: 0, signal: null, lines: ['shutdown 0'], errors: '' });
});

const signalled = (options: string): string => `
  const Server = beamish.genServer(meta, 'Server', {
    init: (s, ctx) => { ctx.trapExit(true); return s; },
    async terminate(reason, s) { await testing.settle(); console.log('terminate', s, reason); },
  });
  const children = ['a', 'b'].map((id) => beamish.child(Server, id, { id }));
  const system = await beamish.startSystem({ children, ${options} });
  console.log('ready');
  console.log('terminated', await system.terminated);
`;

test('a signal that was asked for stops the tree in order, and the program ends by itself', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const end = await runProgram(signalled("signals: ['SIGTERM', 'SIGINT']"), (line, program) => {
      if (line === 'ready') program.kill(signal);
    });
    const lines = ['ready', 'terminate b shutdown', 'terminate a shutdown', 'terminated shutdown'];
    assert.deepEqual(end, { code: 0, signal: null, lines, errors: '' });
  }
});

test('a signal that was not asked for ends the program as without a system', async () => {
  const end = await runProgram(signalled(''), (line, program) => {
    if (line === 'ready') program.kill('SIGTERM');
  });
  assert.deepEqual(end, { code: null, signal: 'SIGTERM', lines: ['ready'], errors: '' });
});

test('a process outside the tree lives until its system stops', async (t) => {
  const system = await startTestSystem(t);
  const free = await openProcess(system, { trapExit: true });
  const Server = genServer(import.meta, 'Server', { init: () => 0, handleInfo: { EXIT: (s: number) => noreply(s) } });
  await startUnderRoot(system, child(Server, undefined));
  assert.deepEqual(await exitsOf(free), []);
  await system.system.stop();
  await settle();
  assert.equal(free.ctx.signal.aborted, true);
});

test('the owner of a system starts processes outside the tree, and is told whether a stop was asked for', async (t) => {
  const { system } = await startTestSystem(t);
  const Echo = genServer(import.meta, 'Echo', { init: (start: unknown) => start });
  const log: unknown[] = [];
  const pid = system.spawn((arg: string, ctx) => log.push(arg, ctx.self), 'argument');
  const started = await system.start(Echo, 1, { name: 'echo' });
  assert.deepEqual(log, ['argument', pid]);
  assert.deepEqual(started, { ok: system.whereis(name('echo')) });
  assert.equal(system.stopRequested, false);
  await system.stop();
  assert.equal(system.stopRequested, true);
  assert.throws(() => system.spawn(() => {}, undefined), { code: 'ERR_EXITED' });
  assert.throws(() => system.start(Echo, 1), { code: 'ERR_EXITED' });
});

test('a system that gave up was not asked to stop', async (t) => {
  const name_ = systemName();
  const trace = new SupervisionTrace(t, name_);
  const { system } = await startTestSystem(t, { name: name_, intensity: 0, children: [trace.worker('a')] });
  system.cast(name<any>('a'), 'stop', 'boom');
  await system.terminated;
  assert.equal(system.stopRequested, false);
});
