import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GenServer, genServer, name, noreply, type Pid, stopServer } from '../../runtime/index.ts';
import { mailboxOf, openProcess, startTestSystem, type TestSystem, watch } from '../support/test-system.ts';

type Terminate = (reason: unknown) => unknown;
interface Protocol {
  readonly cast: { readonly block: Promise<unknown> };
}

const Server: GenServer<Protocol, Terminate> = genServer(import.meta, 'Server', {
  init: (terminate: Terminate) => terminate,
  handleCast: {
    block: async (state: Terminate, until) => {
      await until;
      return noreply(state);
    },
  },
  terminate: (reason, terminate: Terminate) => terminate(reason),
});

async function startServer({ opener }: TestSystem, terminate: Terminate = () => {}): Promise<Pid<Protocol>> {
  const result = await opener.start(Server, terminate, { name: 'server' });
  assert.ok(result !== 'ignore' && 'ok' in result);
  return result.ok;
}

test('stopServer runs terminate and is ok once the server has exited normally', async (t) => {
  const system = await startTestSystem(t);
  const log: unknown[] = [];
  const pid = await startServer(system, (reason) => log.push(reason));
  const { reasons } = await watch(system, pid);
  const caller = await openProcess(system);
  assert.equal(await stopServer(caller.ctx, name<Protocol>('server')), 'ok');
  assert.deepEqual(log, ['normal']);
  assert.equal(system.system.isAlive(pid), false);
  assert.equal(system.system.whereis(name('server')), undefined);
  assert.deepEqual(await mailboxOf(caller), []);
  assert.deepEqual(reasons, ['normal']);
});

test('another reason is the exit reason, and is ok as well, also as data and for the owner', async (t) => {
  const system = await startTestSystem(t);
  for (const reason of ['shutdown', { shutdown: ['done', 1] }, 'boom']) {
    const pid = await startServer(system);
    const { reasons } = await watch(system, pid);
    assert.equal(await stopServer(system.system, pid, structuredClone(reason), 1_000), 'ok');
    await mailboxOf(await openProcess(system));
    assert.deepEqual(reasons, [reason]);
  }
});

test('after the time it fails with timeout, and the server still stops when it can', async (t) => {
  const system = await startTestSystem(t);
  let release: (value: unknown) => void = () => {};
  const pid = await startServer(system);
  const { reasons } = await watch(system, pid);
  const until = new Promise<unknown>((resolve) => {
    release = resolve;
  });
  system.system.cast(pid, 'block', until);
  const rejected = assert.rejects(stopServer(system.system, pid, 'late', 100), { code: 'ERR_CALL_TIMEOUT' });
  await system.clock.advance(100);
  await rejected;
  assert.equal(system.system.isAlive(pid), true);
  release(undefined);
  await mailboxOf(await openProcess(system));
  assert.deepEqual(reasons, ['late']);
});

test('a dead server or a free name is noproc', async (t) => {
  const system = await startTestSystem(t);
  const pid = await startServer(system);
  await stopServer(system.system, pid);
  const expected = { code: 'ERR_CALL_NOPROC', reason: 'noproc' };
  await assert.rejects(stopServer(system.system, pid), expected);
  await assert.rejects(stopServer(system.system, name('server')), expected);
});

test('a server that exits with another reason than the given one: that reason', async (t) => {
  const system = await startTestSystem(t);
  const thrower = await startServer(system, () => {
    throw new Error('terminate failed');
  });
  const { reasons } = await watch(system, thrower);
  const error = await stopServer(system.system, thrower).catch((thrown: unknown) => thrown);
  await mailboxOf(await openProcess(system));
  assert.equal((error as { code: string }).code, 'ERR_CALL_EXIT');
  assert.deepEqual((error as { reason: unknown }).reason, reasons[0]);
  assert.notEqual(reasons[0], 'normal');
  const stuck = await startServer(system, () => new Promise(() => {}));
  const rejected = assert.rejects(stopServer(system.system, stuck), { code: 'ERR_CALL_EXIT', reason: 'killed' });
  await mailboxOf(await openProcess(system));
  system.system.exitProcess(stuck, 'kill');
  await rejected;
});

test('a server cannot wait for its own stop', async (t) => {
  const system = await startTestSystem(t);
  const { ctx } = await openProcess(system);
  await assert.rejects(stopServer(ctx, ctx.self), { code: 'ERR_CALL_SELF' });
});

test('noproc is a reason like any other: who stops with it was there, and who is gone was not', async (t) => {
  const system = await startTestSystem(t);
  const pid = await startServer(system);
  const { reasons } = await watch(system, pid);
  assert.equal(await stopServer(system.system, pid, 'noproc'), 'ok');
  await mailboxOf(await openProcess(system));
  assert.deepEqual(reasons, ['noproc']);
  await assert.rejects(stopServer(system.system, pid, 'noproc'), { code: 'ERR_CALL_NOPROC', reason: 'noproc' });
});
