import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  type Context,
  continueWith,
  type ErrorExit,
  type GenServer,
  genServer,
  idleTimeout,
  ignore,
  initOk,
  isErrorExit,
  name,
  noreply,
  reply,
  type StartResult,
  stop,
  stopInit,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { mailboxOf, openProcess, reasonsOf, startTestSystem, tagsOf, watch } from '../support/test-system.ts';

type Init = (ctx: Context) => unknown;
interface Protocol {
  readonly call: { readonly state: Call<void, unknown> };
  readonly cast: { readonly note: string };
  readonly continue: { readonly next: string };
}

/** Its start argument is its init. */
const Server: GenServer<Protocol, Init> = genServer(import.meta, 'Server', {
  init: (init: Init, ctx) => init(ctx) as string[],
  handleCall: { state: (state: string[]) => reply(state as unknown, state) },
  handleCast: { note: (state: string[], text) => noreply([...state, text]) },
  handleContinue: { next: (state: string[], text) => noreply([...state, text]) },
  handleInfo: { timeout: (state: string[]) => noreply([...state, 'timeout']) },
});

const boom: Init = () => {
  throw new Error('boom');
};

function okOf(result: StartResult): NonNullable<Extract<StartResult, { ok: unknown }>['ok']> {
  assert.ok(result !== 'ignore' && 'ok' in result, JSON.stringify(result));
  return result.ok;
}

test('init with a state: the start returns its pid, and the server runs', async (t) => {
  const system = await startTestSystem(t);
  for (const init of [() => ['s'], async () => ['s'], () => initOk(['s']), async () => initOk(['s'])] as Init[]) {
    const pid = okOf(await system.opener.start(Server, init));
    assert.deepEqual(await system.system.call(pid, 'state'), ['s']);
  }
});

test('init with ignore: the start returns ignore and the process exits normal', async (t) => {
  const system = await startTestSystem(t);
  const parent = await openProcess(system, { trapExit: true });
  assert.equal(await parent.ctx.startLink(Server, () => ignore()), 'ignore');
  assert.deepEqual(await reasonsOf(parent), ['normal']);
});

test('init with stopInit: the start returns the reason as an error, and the process exits with it', async (t) => {
  const system = await startTestSystem(t);
  const parent = await openProcess(system, { trapExit: true });
  for (const reason of ['no', 'normal', { shutdown: 'x' }]) {
    assert.deepEqual(await parent.ctx.startLink(Server, () => stopInit(reason)), { error: reason });
    assert.deepEqual(await reasonsOf(parent), [reason]);
  }
});

test('init that throws, rejects or exits: the start returns the error with its stack, or the reason', async (t) => {
  const system = await startTestSystem(t);
  const result = await system.opener.start(Server, boom);
  assert.ok(result !== 'ignore' && 'error' in result && isErrorExit(result.error));
  assert.deepEqual(result.error.error, { name: 'Error', message: 'boom' });
  assert.match(result.error.stack, /boom/);
  const rejected = await system.opener.start(Server, async () => {
    throw new RangeError('later');
  });
  assert.equal(((rejected as { error: ErrorExit }).error.error as Error).message, 'later');
  assert.deepEqual(await system.opener.start(Server, (ctx) => ctx.exit('left')), { error: 'left' });
});

test('init with the result of a handler fails the start with bad_return_value', async (t) => {
  const system = await startTestSystem(t);
  for (const bad of [noreply(1), reply(1, 1), stop('x', 1)]) {
    assert.deepEqual(await system.opener.start(Server, () => bad), { error: { bad_return_value: bad } });
    assert.deepEqual(await system.opener.start(Server, async () => bad), { error: { bad_return_value: bad } });
  }
});

test('a start returns only after init has succeeded', async (t) => {
  const system = await startTestSystem(t);
  const log: string[] = [];
  await system.opener.start(Server, async () => {
    await settle(2);
    log.push('initialised');
    return [];
  });
  log.push('returned');
  assert.deepEqual(log, ['initialised', 'returned']);
});

test('a process that is ended before init has finished makes the start return that reason', async (t) => {
  const system = await startTestSystem(t);
  const starting = system.opener.start(Server, () => new Promise(() => {}), { name: 'slow' });
  await settle();
  system.system.exitProcess(system.system.whereis(name('slow')) ?? assert.fail(), 'boom');
  assert.deepEqual(await starting, { error: 'boom' });
});

test('a start that takes too long: the process is killed, and the start returns timeout', async (t) => {
  const system = await startTestSystem(t);
  const parent = await openProcess(system, { trapExit: true });
  const hang: Init = () => new Promise(() => {});
  for (const start of ['start', 'startLink'] as const) {
    const starting = parent.ctx[start](Server, hang, { name: 'slow', timeoutMs: 100 });
    await settle();
    const { reasons } = await watch(system, system.system.whereis(name('slow')) ?? assert.fail());
    await system.clock.advance(99);
    assert.deepEqual(reasons, []);
    await system.clock.advance(1);
    assert.deepEqual(await starting, { error: 'timeout' });
    assert.deepEqual(reasons, ['killed']);
    assert.deepEqual(await mailboxOf(parent), [], 'the starter hears of it by the result alone');
  }
  okOf(await parent.ctx.start(Server, () => [], { timeoutMs: 100 }));
  await system.clock.advance(1_000);
  assert.deepEqual(await tagsOf(parent), [], 'in time: nothing happens later');
});

test('a linked start that fails also sends the exit signal: EXIT for a parent that traps, else it ends', async (t) => {
  const system = await startTestSystem(t);
  const trapping = await openProcess(system, { trapExit: true });
  await trapping.ctx.startLink(Server, () => stopInit('no'));
  assert.deepEqual(await reasonsOf(trapping), ['no']);
  const plain = await openProcess(system);
  const { reasons } = await watch(system, plain.pid);
  void plain.ctx.startLink(Server, () => stopInit('normal'));
  await settle();
  assert.deepEqual(reasons, [], 'normal ends nobody');
  void plain.ctx.startLink(Server, () => stopInit('no'));
  await settle();
  assert.deepEqual(reasons, ['no']);
});

test('a start without a link: its failure leaves the starter alone', async (t) => {
  const system = await startTestSystem(t);
  const plain = await openProcess(system);
  assert.deepEqual(await plain.ctx.start(Server, () => stopInit('no')), { error: 'no' });
  assert.equal(system.system.isAlive(plain.pid), true);
});

test('continue after init runs before messages that came before the start returned', async (t) => {
  const system = await startTestSystem(t);
  const starting = system.opener.start(
    Server,
    async () => {
      await settle(2);
      return initOk<string[]>([], continueWith('next', 'continued'));
    },
    { name: 'server' },
  );
  system.opener.cast(name<Protocol>('server'), 'note', 'early');
  await settle(1);
  system.opener.cast(name<Protocol>('server'), 'note', 'during init');
  const pid = okOf(await starting);
  assert.deepEqual(await system.system.call(pid, 'state'), ['continued', 'early', 'during init']);
});

test('an idle timeout after init', async (t) => {
  const system = await startTestSystem(t);
  const pid = okOf(await system.opener.start(Server, () => initOk<string[]>([], idleTimeout(100))));
  await system.clock.advance(100);
  assert.deepEqual(await system.system.call(pid, 'state'), ['timeout']);
});

test('a spawned server has no starter: a failing init is its exit reason', async (t) => {
  const system = await startTestSystem(t);
  const watcher = await openProcess(system);
  watcher.ctx.spawnMonitor(Server, () => stopInit('no'));
  watcher.ctx.spawnMonitor(Server, () => ignore());
  const reasons = await reasonsOf(watcher);
  assert.deepEqual(reasons, ['no', 'normal']);
});

test('malformed callbacks are refused where the server is defined', () => {
  const define = (callbacks: unknown) => () => genServer(import.meta, 'Bad', callbacks as never);
  assert.throws(define(undefined), /genServer 'Bad': its callbacks must be an object/);
  assert.throws(define({}), { code: 'ERR_BADARG', message: /genServer 'Bad': init must be a function/ });
  assert.throws(define({ init: () => 0, handleCall: { x: 5 } }), /genServer 'Bad': handleCall\.x must be a function/);
});

test('a pending start of a dead process never settles', async (t) => {
  const system = await startTestSystem(t);
  const parent = await openProcess(system);
  const settled: unknown[] = [];
  const hanging = genServer(import.meta, 'Hanging', { init: () => new Promise<number>(() => {}) });
  void parent.ctx.startLink(hanging, undefined).then((result) => settled.push(result));
  await settle();
  system.system.exitProcess(parent.pid, 'kill');
  await settle();
  assert.deepEqual(settled, []);
});
