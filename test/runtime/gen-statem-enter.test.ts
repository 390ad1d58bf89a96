import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changeCallbackModule,
  eventTimeout,
  type GenStatem,
  genStatem,
  initState,
  keepState,
  keepStateAndData,
  nextEvent,
  nextState,
  repeatState,
  repeatStateAndData,
  replyTo,
  stateTimeout,
  stop,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { EnteringMachine, event, reasonText, type Step, startMachine } from '../support/step-machine.ts';
import { startTestSystem } from '../support/test-system.ts';

const to =
  (state: string, ...actions: any[]): Step =>
  ({ data }) =>
    nextState(state, data, actions);

test('enter runs at the start, with the state itself as the previous one, and at each change', async (t) => {
  const { cast, take } = await startMachine(await startTestSystem(t), { enter: {} });
  cast('go', to('b'));
  cast('same', to('b'));
  cast('keep', ({ data }) => keepState(data));
  cast('back', to('a'));
  await settle();
  assert.deepEqual(take(), [
    'enter a from a',
    'cast go in a',
    'enter b from a',
    'cast same in b',
    'cast keep in b',
    'cast back in b',
    'enter a from b',
  ]);
});

test('repeatState runs enter again, from the state itself', async (t) => {
  const { cast, take } = await startMachine(await startTestSystem(t), { enter: {} });
  cast('repeat', ({ data }) => repeatState(data));
  cast('repeat', () => repeatStateAndData());
  await settle();
  assert.deepEqual(take(), [
    'enter a from a',
    'cast repeat in a',
    'enter a from a',
    'cast repeat in a',
    'enter a from a',
  ]);
});

test('OTP state_enter: repeatState in enter runs it again, still from the state before the change', async (t) => {
  let entered = 0;
  const enter = { b: () => (++entered < 3 ? repeatStateAndData() : keepStateAndData()) };
  const { cast, take } = await startMachine(await startTestSystem(t), { enter });
  cast('go', to('b'));
  await settle();
  assert.deepEqual(take().slice(2), ['enter b from a', 'enter b from a', 'enter b from a']);
});

test('enter sees the new data and may change it, before any event is handled', async (t) => {
  const enter = { b: ({ data }: any) => keepState([...data, 'enter']) };
  const init = (): unknown => initState('a', ['init']);
  const { cast, call, take } = await startMachine(await startTestSystem(t), { init, enter });
  const go: Step = ({ data }) => nextState('b', [...data, 'event'], nextEvent('internal', 'do', event('inserted')));
  cast('go', go);
  const data = await call('get', ({ data: now, ctx }) => keepStateAndData(replyTo(ctx.from, now)));
  assert.deepEqual(data, ['init', 'event', 'enter']);
  assert.deepEqual(take(), [
    'enter a from a',
    'cast go in a',
    'enter b from a',
    'internal inserted in b',
    'call get in b',
  ]);
});

test('enter may reply and set time-outs, after those of the event: for each the last action counts', async (t) => {
  const system = await startTestSystem(t);
  const enter = {
    b: ({ data }: any) =>
      keepStateAndData([
        replyTo(data, 'entered'),
        eventTimeout(0, 'do', event('2')),
        stateTimeout(0, 'do', event('3')),
      ]),
  };
  const { call, take } = await startMachine(system, { enter });
  const go: Step = ({ ctx }) => nextState('b', ctx.from, [eventTimeout(0, 'do', event('1')), stateTimeout('cancel')]);
  assert.equal(await call('go', go), 'entered');
  await settle();
  assert.deepEqual(take().slice(2), ['enter b from a', 'timeout 2 in b', 'state_timeout 3 in b']);
});

test('a reply of the event is sent before enter runs', async (t) => {
  const system = await startTestSystem(t);
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { call, cast, take } = await startMachine(system, { enter: { b: () => gate.then(() => keepStateAndData()) } });
  const go: Step = ({ ctx }) => nextState('b', undefined, replyTo(ctx.from, 'on my way'));
  assert.equal(await call('go', go), 'on my way');
  cast('later');
  await settle();
  assert.deepEqual(take(), ['enter a from a', 'call go in a', 'enter b from a']);
  open();
  await settle();
  assert.deepEqual(take(), ['cast later in b'], 'the mailbox waits for an async enter');
});

test('postponed events are retried after enter, and its error leaves them unseen', async (t) => {
  const { cast, take, reasons } = await startMachine(await startTestSystem(t), {
    enter: {
      c: () => {
        throw new Error('boom');
      },
    },
  });
  cast('waits', ({ state }) => keepStateAndData(state === 'b' ? [] : 'postpone'));
  cast('go', to('b'));
  cast('on', to('c'));
  await settle();
  assert.deepEqual(take(), [
    'enter a from a',
    'cast waits in a',
    'cast go in a',
    'enter b from a',
    'cast waits in b',
    'cast on in b',
    'enter c from b',
    'terminate boom in b',
  ]);
  assert.equal(reasonText(reasons[0]), 'boom');
});

test('enter may stop the machine; terminate sees the new state', async (t) => {
  const { cast, take, reasons } = await startMachine(await startTestSystem(t), { enter: { b: () => stop('why', 1) } });
  cast('go', to('b'));
  await settle();
  assert.deepEqual(take().slice(2), ['enter b from a', 'terminate why in b']);
  assert.deepEqual(reasons, ['why']);
});

test('enter may not change the state, postpone, insert events or change the module, as in OTP', async (t) => {
  const system = await startTestSystem(t);
  const results: [unknown, string][] = [
    [nextState('c', 1), 'bad_state_enter_return_from_state_function'],
    [keepStateAndData('postpone'), 'bad_state_enter_action_from_state_function'],
    [keepStateAndData(nextEvent('internal', 'do', event('x'))), 'bad_state_enter_action_from_state_function'],
    [keepStateAndData(changeCallbackModule(EnteringMachine)), 'bad_state_enter_action_from_state_function'],
    ['nonsense', 'bad_return_from_state_function'],
    [keepStateAndData('nonsense' as 'postpone'), 'bad_action_from_state_function'],
  ];
  for (const [result, term] of results) {
    const { cast, take, reasons } = await startMachine(system, { enter: { b: () => result } });
    cast('go', to('b'));
    await settle();
    assert.deepEqual(take().slice(2), ['enter b from a', `terminate ${term} in b`]);
    assert.equal(reasonText(reasons[0]), term);
  }
});

test('enter may name its own state', async (t) => {
  const { cast, take } = await startMachine(await startTestSystem(t), { enter: { b: () => nextState('b', 1) } });
  cast('go', to('b'));
  cast('here');
  await settle();
  assert.deepEqual(take().slice(2), ['enter b from a', 'cast here in b']);
});

interface LampProtocol {
  readonly cast: { readonly press: void };
  readonly state: 'on' | 'off';
  readonly data: string[];
}

const Lamp: GenStatem<LampProtocol, string[]> = genStatem(import.meta, 'Lamp', {
  init: (log) => initState('off', log),
  states: {
    on: {
      enter: (log, previous) => {
        log.push(`on, from ${previous}`);
        return keepStateAndData();
      },
      cast: { press: (log) => nextState('off', log) },
    },
    off: { cast: { press: (log) => nextState('on', log) } },
  },
  handleEvent: {
    enter: (state, log, previous) => {
      log.push(`any: ${state}, from ${previous}`);
      return keepStateAndData();
    },
  },
});

test('the enter clause of a state comes before the one for all states', async (t) => {
  const system = await startTestSystem(t);
  const log: string[] = [];
  const lamp = system.opener.spawn(Lamp, log);
  system.system.cast(lamp, 'press');
  system.system.cast(lamp, 'press');
  await settle();
  assert.deepEqual(log, ['any: off, from off', 'on, from off', 'any: off, from on']);
});
