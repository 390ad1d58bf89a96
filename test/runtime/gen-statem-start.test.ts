import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CallError,
  child,
  enterLoop,
  type GenStatem,
  genStatem,
  ignore,
  initState,
  keepState,
  keepStateAndData,
  name,
  nextEvent,
  nextState,
  type Pid,
  replyTo,
  stateTimeout,
  stop,
  stopInit,
  stopServer,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { EnteringMachine, event, reasonText, type Step, StepMachine, startMachine } from '../support/step-machine.ts';
import { mailboxOf, openProcess, reasonsOf, startTestSystem } from '../support/test-system.ts';

const answer: Step = ({ data, ctx }) => keepStateAndData(replyTo(ctx.from, data));

test('a machine starts in the state and with the data of init, by all ways to start one', async (t) => {
  const system = await startTestSystem(t);
  const start = { log: [], init: () => initState('b', 'data') };
  const links = await system.opener.startLink(StepMachine, start);
  const plain = await system.opener.start(StepMachine, start, { name: 'plain' });
  const monitored = await system.opener.startMonitor(StepMachine, start);
  const spawned = system.opener.spawn(StepMachine, start);
  assert.ok(links !== 'ignore' && 'ok' in links);
  assert.ok(plain !== 'ignore' && 'ok' in plain);
  assert.ok(monitored !== 'ignore' && 'ok' in monitored);
  for (const dest of [links.ok, name<any>('plain'), monitored.ok.pid, spawned]) {
    assert.equal(await system.system.call(dest, 'do', event('get', answer)), 'data');
  }
  assert.deepEqual(await system.opener.start(StepMachine, start, { name: 'plain' }), {
    error: { already_started: plain.ok },
  });
});

test('a machine runs under a supervisor, is restarted with a new state, and is stopped with it', async (t) => {
  const log: string[] = [];
  const spec = child(StepMachine, { log, trapExit: true }, { name: 'machine' });
  const { system } = await startTestSystem(t, { children: [spec] });
  const machine = name<any>('machine');
  const first = system.whereis(machine);
  system.cast(
    machine,
    'do',
    event('go', ({ data }) => nextState('b', data)),
  );
  system.cast(
    machine,
    'do',
    event('fail', ({ data }) => stop('boom', data)),
  );
  await settle();
  assert.notEqual(system.whereis(machine), first);
  system.cast(machine, 'do', event('here'));
  await settle();
  await system.stop();
  assert.deepEqual(log, [
    'cast go in a',
    'cast fail in b',
    'terminate boom in b',
    'cast here in a',
    'terminate shutdown in a',
  ]);
});

test('init may be async, ignore, refuse, throw or return something else, as that of a server', async (t) => {
  const system = await startTestSystem(t);
  const start = (init: () => unknown): Promise<any> => system.opener.start(StepMachine, { log: [], init });
  assert.ok('ok' in (await start(async () => initState('a', 1))));
  assert.equal(await start(() => ignore()), 'ignore');
  assert.deepEqual(await start(() => stopInit('no')), { error: 'no' });
  const thrown = await start(() => {
    throw new Error('boom');
  });
  assert.equal(reasonText(thrown.error), 'boom');
  assert.equal(reasonText((await start(async () => Promise.reject(new Error('later')))).error), 'later');
  for (const wrong of ['a', keepState(1), nextState('a', 1), null, { ok: 'a' }]) {
    assert.deepEqual(await start(() => wrong), { error: { bad_return_from_init: wrong } });
  }
});

test('a start under a time limit: the machine is killed when its init takes too long', async (t) => {
  const system = await startTestSystem(t);
  const start = { log: [], init: () => new Promise(() => {}) };
  const result = system.opener.start(StepMachine, start, { timeoutMs: 5, name: 'slow' });
  await system.clock.advance(5);
  assert.deepEqual(await result, { error: 'timeout' });
  assert.equal(system.system.whereis(name('slow')), undefined);
});

test('init is answered before its actions and the enter clause of the first state run, as in OTP', async (t) => {
  const system = await startTestSystem(t);
  const log: string[] = [];
  const parent = await openProcess(system, { trapExit: true });
  const fail: Step = () => {
    throw new Error('boom');
  };
  const result = await parent.ctx.startLink(EnteringMachine, { log, enter: { a: fail } });
  assert.ok(result !== 'ignore' && 'ok' in result, 'the start itself succeeds');
  assert.equal(reasonText((await reasonsOf(parent))[0]), 'boom');
  assert.deepEqual(log, ['enter a from a', 'terminate boom in a']);
});

test('actions of init come before any message, also those sent before init returned', async (t) => {
  const system = await startTestSystem(t);
  const log: string[] = [];
  let open = (_state: unknown): void => {};
  const init = (): Promise<unknown> =>
    new Promise((resolve) => {
      open = resolve;
    });
  const pid = system.opener.spawn(EnteringMachine, { log, init, enter: {} });
  system.system.cast(pid, 'do', event('early'));
  await settle();
  const actions = [
    nextEvent('internal', 'do', event('one')),
    stateTimeout(0, 'do', event('zero')),
    'postpone',
  ] as const;
  open(initState('b', undefined, [...actions, nextEvent('cast', 'do', event('two'))]));
  await settle();
  assert.deepEqual(log, [
    'enter b from b',
    'internal one in b',
    'cast two in b',
    'state_timeout zero in b',
    'cast early in b',
  ]);
});

test('stopServer stops a machine with a reason; what is gone is noproc', async (t) => {
  const system = await startTestSystem(t);
  const first = await startMachine(system);
  assert.equal(await stopServer(system.system, first.pid), 'ok');
  assert.deepEqual(first.reasons, ['normal']);
  const second = await startMachine(system, {}, { name: 'second' });
  assert.equal(await stopServer(system.system, name('second'), 'other_reason'), 'ok');
  assert.deepEqual(second.reasons, ['other_reason']);
  assert.deepEqual(second.log, ['terminate other_reason in a']);
  await assert.rejects(stopServer(system.system, name('second')), { code: 'ERR_CALL_NOPROC' });
  const third = await startMachine(system);
  await assert.rejects(stopServer(system.system, third.pid, 'why', -1), { code: 'ERR_BADARG' });
  assert.deepEqual(third.reasons, []);
});

test('a call to a machine that gets no reply times out, and the late reply goes nowhere', async (t) => {
  const system = await startTestSystem(t);
  const { pid, call } = await startMachine(system);
  const client = await openProcess(system);
  const later: Step = ({ ctx }) => keepState(ctx.from);
  const pending = client.ctx.call(pid, 'do', event('ask', later), { timeoutMs: 10 });
  const failed = assert.rejects(pending, { code: 'ERR_CALL_TIMEOUT' });
  await system.clock.advance(10);
  await failed;
  await call('late', ({ data, ctx }) => keepStateAndData([replyTo(data, 'late'), replyTo(ctx.from, 'ok')]));
  assert.deepEqual(await mailboxOf(client), []);
});

test('a call to a machine that has ended fails with noproc, one left open with its exit reason', async (t) => {
  const system = await startTestSystem(t);
  const { pid, call, cast, reasons } = await startMachine(system);
  const open = assert.rejects(call('open'), { code: 'ERR_CALL_EXIT', reason: { shutdown: 'why' } });
  const postponed = assert.rejects(
    call('postponed', () => keepStateAndData('postpone')),
    { code: 'ERR_CALL_EXIT', reason: { shutdown: 'why' } },
  );
  cast('end', ({ data }) => stop({ shutdown: 'why' }, data));
  const unseen = assert.rejects(call('unseen'), { code: 'ERR_CALL_EXIT', reason: { shutdown: 'why' } });
  await Promise.all([open, postponed, unseen]);
  assert.deepEqual(reasons, [{ shutdown: 'why' }]);
  await assert.rejects(system.system.call(pid, 'do', event('hello')), (error) => {
    return error instanceof CallError && error.code === 'ERR_CALL_NOPROC';
  });
});

test('a function goes on as a machine with enterLoop, in the state it says and with its actions', async (t) => {
  const system = await startTestSystem(t);
  const log: string[] = [];
  const start = { log, enter: {} };
  const Entered: GenStatem<any, void> = genStatem<any, any>(import.meta, 'Entered', {
    init: () => stopInit('init is not run'),
    handleEvent: {
      enter: async (state: unknown, _data: unknown, previous: unknown) => {
        await undefined;
        log.push(`enter ${state} from ${previous}`);
        return keepStateAndData();
      },
      cast: {
        do: (state: unknown, data: unknown) => {
          log.push(`cast in ${state} ${data}`);
          return keepStateAndData();
        },
      },
      internal: {
        go: () => {
          log.push('internal');
          return keepStateAndData();
        },
      },
    } as any,
  });
  const run = async (arg: typeof start): Promise<unknown> => {
    arg.log.push('function');
    return enterLoop(Entered, initState('b', 7, nextEvent('internal', 'go')));
  };
  const pid: Pid = system.opener.spawn(run, start);
  system.system.cast(pid, 'do');
  await settle();
  assert.deepEqual(log, ['function', 'enter b from b', 'internal', 'cast in b 7']);
});

test('enterLoop into a machine without initState ends the process with BadArgError', async (t) => {
  const system = await startTestSystem(t);
  const client = await openProcess(system);
  client.ctx.spawnMonitor(() => enterLoop(StepMachine, { state: 'a' }), undefined);
  assert.match(reasonText((await reasonsOf(client))[0]), /^a state machine is entered with enterLoop/);
});

test('malformed callbacks throw a BadArgError that names what is wrong', () => {
  const init = (): any => initState('a', 1);
  const define = (callbacks: object): unknown => genStatem<any, any>(import.meta, 'M', callbacks as any);
  assert.throws(() => define({}), /^BadArgError: genStatem 'M': init must be a function/);
  assert.throws(() => define({ init, states: { a: { cast: { x: 1 } } } }), /states\.a\.cast\.x must be a function/);
  assert.throws(() => define({ init, states: { a: { enter: 1 } } }), /states\.a\.enter must be a function/);
  assert.throws(() => define({ init, states: { a: { casts: {} } } }), /states\.a\.casts is no type of event/);
  assert.throws(() => define({ init, handleEvent: { call: { x: 'y' } } }), /handleEvent\.call\.x must be a function/);
  assert.throws(() => define({ init, handleEvent: { call: { $sys: () => 1 } } }), /reserved for system requests/);
});

test('a name is free again when init ignores or fails, before the starter hears of it', async (t) => {
  const system = await startTestSystem(t);
  for (const init of [() => ignore(), () => stopInit('no'), () => 'nonsense']) {
    const result = system.opener.start(StepMachine, { log: [], init }, { name: 'taken' });
    const free = result.then(() => system.system.whereis(name('taken')));
    assert.equal(await free, undefined);
  }
});
