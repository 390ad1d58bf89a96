import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CrashReport, channels, type ExitReason } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { eventsOf } from '../support/supervision-trace.ts';
import { openProcess, startTestSystem, watch } from '../support/test-system.ts';

test('the ports of a process are closed when it exits, for whatever reason, once', async (t) => {
  const system = await startTestSystem(t);
  for (const reason of ['kill', 'boom', { shutdown: 'x' }]) {
    const { ctx, pid } = await openProcess(system);
    const closed: ExitReason[] = [];
    ctx.openPort({ close: (why) => closed.push(why) });
    ctx.openPort({ close: (why) => closed.push(why) });
    system.system.exitProcess(pid, reason);
    const expected = reason === 'kill' ? 'killed' : reason;
    assert.deepEqual(closed, [expected, expected]);
  }
});

test('a port is closed at the end of the system too', async (t) => {
  const system = await startTestSystem(t);
  const { ctx } = await openProcess(system);
  let closed = 0;
  ctx.openPort({ close: () => closed++ });
  await system.system.stop();
  assert.equal(closed, 1);
});

test('a port that was let go is not closed', async (t) => {
  const system = await startTestSystem(t);
  const { ctx, finish } = await openProcess(system);
  const letGo = ctx.openPort({ close: () => assert.fail('closed') });
  letGo();
  letGo();
  finish();
  await settle();
});

test('a port that throws while it is closed is reported, and keeps nothing from ending', async (t) => {
  const system = await startTestSystem(t);
  const crashes = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  const { ctx, pid } = await openProcess(system);
  const closed: string[] = [];
  ctx.openPort({
    close: () => {
      throw new Error('cannot close');
    },
  });
  ctx.openPort({ close: () => closed.push('second') });
  const { reasons } = await watch(system, pid);
  system.system.exitProcess(pid, 'boom');
  await settle();
  assert.deepEqual(closed, ['second']);
  assert.deepEqual(reasons, ['boom']);
  assert.match(JSON.stringify(crashes.map(({ reason }) => reason)), /cannot close/);
});

test('ports are closed before links and monitors learn of the exit', async (t) => {
  const system = await startTestSystem(t);
  const [owner, watcher] = [await openProcess(system), await openProcess(system)];
  const order: string[] = [];
  owner.ctx.openPort({ close: () => order.push('closed') });
  watcher.ctx.monitor(owner.pid);
  const down = watcher.ctx.receive(() => order.push('DOWN') > 0, 'infinity');
  owner.finish();
  await down;
  assert.deepEqual(order, ['closed', 'DOWN']);
});
