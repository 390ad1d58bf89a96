import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Call, type GenServer, genServer, hibernate, noreply, reply, sys } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { openProcess, startTestSystem } from '../support/test-system.ts';

interface CounterProtocol {
  readonly call: { readonly count: Call<undefined, number>; readonly slow: Call<Promise<void>, string> };
  readonly cast: { readonly add: number };
}

const Counter: GenServer<CounterProtocol, number> = genServer(import.meta, 'Counter', {
  init: (start) => start,
  handleCall: {
    count: (n) => reply(n, n, hibernate()),
    slow: async (n, until) => {
      await until;
      return reply('done', n);
    },
  },
  handleCast: { add: (n, by) => noreply(n + by, hibernate()) },
});

test('the fields of a server that waits', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const pid = opener.spawnLink(Counter, 0, { name: 'counter', mailboxMax: 7 });
  const { ref } = opener.spawnMonitor(Counter, 0);
  await settle();
  const info = system.processInfo(pid);
  assert.ok(info !== undefined && ref !== undefined);
  const { initialCall, ancestors, ...rest } = info;
  assert.match(initialCall, /process-info\.test.*#Counter$/);
  assert.deepEqual(ancestors.slice(0, 2), [opener.self, system.root]);
  assert.deepEqual(rest, {
    pid,
    registeredName: 'counter',
    label: null,
    status: 'waiting',
    currentCall: null,
    parent: opener.self,
    links: [opener.self],
    monitors: [],
    monitoredBy: [],
    trapExit: false,
    messageQueueLen: 0,
    mailboxMax: 7,
    dropped: 0,
    reductions: 1,
  });
});

test('label, trapExit, links, monitors and queue of a function; a monitor counts each time', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system, { trapExit: true }), await openProcess(system)];
  a.ctx.setLabel('first');
  a.ctx.link(b.pid);
  a.ctx.monitor(b.pid);
  const second = a.ctx.monitor(b.pid);
  b.ctx.cast(a.pid, 'x');
  const [ofA, ofB] = [b.ctx.processInfo(a.pid), a.ctx.processInfo(b.pid)];
  assert.deepEqual([ofA?.label, ofA?.trapExit, ofA?.messageQueueLen, ofA?.mailboxMax], ['first', true, 1, null]);
  assert.deepEqual([ofA?.links, ofA?.monitors, ofA?.monitoredBy], [[b.pid], [b.pid, b.pid], []]);
  assert.deepEqual([ofB?.links, ofB?.monitors, ofB?.monitoredBy], [[a.pid], [], [a.pid, a.pid]]);
  assert.deepEqual([ofA?.status, ofA?.currentCall], ['waiting', 'run']);
  a.ctx.demonitor(second);
  a.ctx.unlink(b.pid);
  const after = a.ctx.processInfo(b.pid);
  assert.deepEqual([after?.links, after?.monitoredBy], [[], [a.pid]]);
});

test('status: runnable, running, waiting in a call, suspended; undefined after its end', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const pid = opener.spawn(Counter, 0);
  assert.equal(system.processInfo(pid)?.status, 'runnable');
  await settle();
  let open: () => void = () => {};
  const answer = system.call(pid, 'slow', new Promise<void>((resolve) => (open = resolve)));
  await settle();
  const busy = system.processInfo(pid);
  assert.deepEqual([busy?.status, busy?.currentCall], ['waiting', 'slow']);
  open();
  assert.equal(await answer, 'done');
  let own: string | undefined;
  opener.spawn((_arg, ctx) => {
    own = ctx.processInfo(ctx.self)?.status;
  }, undefined);
  await settle();
  assert.equal(own, 'running');
  await sys.suspend(system, pid);
  assert.equal(system.processInfo(pid)?.status, 'suspended');
  system.exitProcess(pid, 'kill');
  await settle();
  assert.equal(system.processInfo(pid), undefined);
});

test('reductions count the messages handled', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const pid = opener.spawn(Counter, 0);
  await settle();
  const before = system.processInfo(pid)?.reductions ?? 0;
  for (let i = 0; i < 5; i++) system.cast(pid, 'add', 1);
  await settle();
  assert.equal(system.processInfo(pid)?.reductions, before + 5);
});

test('hibernation changes nothing that can be seen: state, links, monitors, timers, slow calls', async (t) => {
  const { system, opener, clock } = await startTestSystem(t);
  const pid = opener.spawnLink(Counter, 0, { hibernateAfterMs: 100, name: 'counter' });
  await settle();
  for (let round = 1; round <= 5; round++) {
    opener.sendAfter(50, 'dropped', undefined, pid);
    for (let i = 0; i < 20; i++) system.cast(pid, 'add', 1);
    assert.equal(await system.call(pid, 'count'), round * 20);
    assert.equal(await system.call(pid, 'slow', Promise.resolve()), 'done');
    await clock.advance(450);
    assert.deepEqual(system.processInfo(pid)?.links, [opener.self]);
    assert.equal(system.processInfo(pid)?.registeredName, 'counter');
  }
  system.exitProcess(pid, 'kill');
  await clock.advance(6_000); // the times of the calls above run out too
  assert.equal(clock.pending, 0, 'nobody looks at a process that has ended');
});

test('a function that waits in receive is not disturbed by hibernation', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system, { hibernateAfterMs: 10 });
  const received = a.ctx.receive(({ tag }) => tag === 'wanted', 'infinity');
  await system.clock.advance(100);
  system.system.cast(a.pid, 'other');
  system.system.cast(a.pid, 'wanted');
  assert.deepEqual(await received, { kind: 'cast', tag: 'wanted', payload: undefined });
});

test('a start that is refused leaves nothing behind, also if a process has ended before', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const before = system.processCount;
  opener.spawn(() => {}, undefined);
  await settle();
  assert.throws(() => opener.spawn(Counter, 0, { mailboxMax: 0 }), { code: 'ERR_BADARG' });
  assert.equal(system.processCount, before);
});
