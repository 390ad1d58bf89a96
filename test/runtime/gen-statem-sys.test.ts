import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type GenStatem,
  genericTimeout,
  genStatem,
  initState,
  keepStateAndData,
  nextEvent,
  nextState,
  replyTo,
  stateTimeout,
  sys,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { EnteringMachine, event, reasonText, type Step, StepMachine, startMachine } from '../support/step-machine.ts';
import { startTestSystem } from '../support/test-system.ts';

const hello: Step = ({ ctx }) => keepStateAndData(replyTo(ctx.from, 'hello'));

test('sys.getState brings state and data, also while the machine is suspended', async (t) => {
  const { system, ...rest } = await startTestSystem(t);
  const { pid } = await startMachine({ system, ...rest }, { init: () => initState('idle', 7) });
  assert.deepEqual(await sys.getState(system, pid), { state: 'idle', data: 7 });
  await sys.suspend(system, pid);
  assert.deepEqual(await sys.getState(system, pid), { state: 'idle', data: 7 });
});

test('sys.replaceState replaces both, without enter or retries; a wrong result changes nothing', async (t) => {
  const { system, ...rest } = await startTestSystem(t);
  const { pid, cast, take } = await startMachine({ system, ...rest }, { enter: {} });
  cast('waits', ({ state }) => keepStateAndData(state === 'a' ? 'postpone' : []));
  const replaced = await sys.replaceState(system, pid, () => ({ state: 'b', data: 2 }));
  assert.deepEqual(replaced, { state: 'b', data: 2 });
  assert.deepEqual(take(), ['enter a from a', 'cast waits in a']);
  for (const wrong of [() => 'b', () => ({ state: 'b' }), () => assert.fail('no')]) {
    await assert.rejects(sys.replaceState<any>(system, pid, wrong), { code: 'ERR_SYS_CALLBACK' });
  }
  assert.deepEqual(await sys.getState(system, pid), { state: 'b', data: 2 });
  cast('go', ({ data }) => nextState('c', data));
  await settle();
  assert.deepEqual(take(), ['cast go in b', 'enter c from b', 'cast waits in c']);
});

test('a suspended machine handles nothing but sys; what came meanwhile comes after resume, in order', async (t) => {
  const { system, clock, opener } = await startTestSystem(t);
  const { pid, cast, call, take } = await startMachine({ system, clock, opener });
  cast('set', () => keepStateAndData(stateTimeout(10, 'do', event('late'))));
  await sys.suspend(system, pid);
  take();
  const answer = call('hello', hello);
  await clock.advance(20);
  cast('last');
  await settle();
  assert.deepEqual(take(), []);
  await sys.resume(system, pid);
  assert.equal(await answer, 'hello');
  await settle();
  assert.deepEqual(take(), ['call hello in a', 'state_timeout late in a', 'cast last in a']);
});

test('a system request is no event: an event time-out goes on', async (t) => {
  const { system, clock, opener } = await startTestSystem(t);
  const { pid, take } = await startMachine(
    { system, clock, opener },
    {
      init: () => initState('a', 1, [genericTimeout(10, 'x', event('x'))]),
    },
  );
  await sys.getState(system, pid);
  await clock.advance(10);
  assert.deepEqual(take(), ['timeout:x x in a']);
});

test('sys.terminate runs terminate, also while the machine is suspended', async (t) => {
  const { system, ...rest } = await startTestSystem(t);
  const { pid, take, reasons } = await startMachine({ system, ...rest });
  await sys.suspend(system, pid);
  assert.equal(await sys.terminate(system, pid, 'why'), 'ok');
  await settle();
  assert.deepEqual(take(), ['terminate why in a']);
  assert.deepEqual(reasons, ['why']);
});

test('sys.getStatus shows state and data, what is postponed and which time-outs run', async (t) => {
  const { system, ...rest } = await startTestSystem(t);
  const { pid, cast } = await startMachine({ system, ...rest });
  cast('waits', () => keepStateAndData('postpone'));
  cast('set', () => keepStateAndData([stateTimeout(10, 'do', event('s')), genericTimeout(10, 'y', event('y'))]));
  const status = await sys.getStatus(system, pid);
  assert.equal(status.status, 'running');
  assert.deepEqual(status.state, {
    current: { state: 'a', data: undefined },
    postponed: [{ type: 'cast', tag: 'do' }],
    timeouts: [
      { type: 'stateTimeout', tag: 'do' },
      { type: 'genericTimeout', tag: 'y' },
    ],
  });
});

test('sys.log tells what came in and went out, was consumed or postponed, and which states were entered', async (t) => {
  const { system, ...rest } = await startTestSystem(t);
  const { pid, cast, call } = await startMachine({ system, ...rest });
  await sys.log(system, pid, { size: 50 });
  cast('waits', ({ state }) => keepStateAndData(state === 'a' ? 'postpone' : []));
  const go: Step = ({ data, ctx }) =>
    nextState('b', data, [
      replyTo(ctx.from, 'gone'),
      nextEvent('internal', 'do', event('inserted')),
      stateTimeout(0, 'do', event('zero')),
    ]);
  await call('go', go);
  await settle();
  const { ok: events } = await sys.log(system, pid, 'get');
  const told = events.map(({ type, message, state }) => {
    return [type, message === undefined ? '' : `${message.kind} ${(message.payload as { name: string }).name}`, state];
  });
  assert.deepEqual(told, [
    ['in', 'cast waits', 'a'],
    ['postpone', 'cast waits', 'a'],
    ['in', 'call go', 'a'],
    ['out', '', 'a'],
    ['consume', 'call go', 'a'],
    ['enter', '', 'b'],
    ['in', 'internal inserted', 'b'],
    ['consume', 'internal inserted', 'b'],
    ['consume', 'cast waits', 'b'],
    ['in', 'stateTimeout zero', 'b'],
    ['consume', 'stateTimeout zero', 'b'],
  ]);
});

test('sys.statistics counts messages, inserted events and time-outs as in, replies as out', async (t) => {
  const { system, ...rest } = await startTestSystem(t);
  const { pid, call } = await startMachine({ system, ...rest });
  await sys.statistics(system, pid, true);
  await call('hello', hello);
  await call('hello', hello);
  const { ok } = await sys.statistics(system, pid, 'get');
  assert.ok(ok !== 'no_statistics');
  assert.deepEqual([ok.messagesIn, ok.messagesOut], [2, 2]);
});

const Newer: GenStatem<any, void> = genStatem<any, any>(import.meta, 'Newer', {
  init: () => initState('a', 1),
  handleEvent: {
    call: { do: (state: any, data: any, _event: any, ctx: any) => keepStateAndData(replyTo(ctx.from, [state, data])) },
  } as any,
  codeChange: (oldVersion, state, data, extra) => {
    if (extra === 'fail') throw new Error('cannot');
    return { state: `${state}${oldVersion}`, data: [data, extra] };
  },
});

test('sys.changeCode goes on with a newer machine, whose codeChange makes state and data', async (t) => {
  const { system, ...rest } = await startTestSystem(t);
  const { pid, take } = await startMachine({ system, ...rest }, { init: () => initState('a', 'data') });
  assert.deepEqual(await sys.changeCode(system, pid, Newer, 2, 'x'), { error: 'not_suspended' });
  await sys.suspend(system, pid);
  const failed = await sys.changeCode(system, pid, Newer, 2, 'fail');
  assert.ok(failed !== 'ok');
  assert.equal(reasonText(failed.error), 'cannot');
  assert.equal(await sys.changeCode(system, pid, Newer, 2, 'x'), 'ok');
  await sys.resume(system, pid);
  assert.deepEqual(await system.call(pid, 'do', event('hello')), ['a2', ['data', 'x']]);
  assert.deepEqual(take(), []);
});

test('OTP undef_code_change: without codeChange state and data stay; what is no machine is refused', async (t) => {
  const { system, ...rest } = await startTestSystem(t);
  const { pid, cast, take } = await startMachine({ system, ...rest });
  await sys.suspend(system, pid);
  const refused = await sys.changeCode(system, pid, { ...StepMachine, createRunner: () => ({}) as any });
  assert.match(reasonText((refused as { error: unknown }).error), /is not a genStatem/);
  assert.equal(await sys.changeCode(system, pid, EnteringMachine), 'ok');
  await sys.resume(system, pid);
  cast('go', ({ data }) => nextState('b', data));
  await settle();
  assert.deepEqual(take(), ['cast go in a', 'enter b from a']);
});
