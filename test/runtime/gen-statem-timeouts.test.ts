import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  eventTimeout,
  genericTimeout,
  initState,
  keepState,
  keepStateAndData,
  nextEvent,
  nextState,
  repeatState,
  stateTimeout,
  stop,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { event, reasonText, type Step, startMachine } from '../support/step-machine.ts';
import { startTestSystem } from '../support/test-system.ts';

const ask =
  (...actions: any[]): Step =>
  () =>
    keepStateAndData(actions);
const to =
  (state: string, ...actions: any[]): Step =>
  ({ data }) =>
    nextState(state, data, actions);

test('a state time-out comes in its state, whatever other events come, and once', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  cast('set', ask(stateTimeout(100, 'do', event('late'))));
  await system.clock.advance(60);
  cast('other', ({ data }) => keepState(data));
  await system.clock.advance(39);
  assert.deepEqual(take(), ['cast set in a', 'cast other in a']);
  await system.clock.advance(1);
  assert.deepEqual(take(), ['state_timeout late in a']);
  await system.clock.advance(1_000);
  assert.deepEqual(take(), []);
});

test('a change of state cancels the state time-out; repeatState and the same state do not', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  cast('set', ask(stateTimeout(100, 'do', event('stays'))));
  cast('same', to('a'));
  cast('repeat', ({ data }) => repeatState(data));
  await system.clock.advance(100);
  assert.deepEqual(take().slice(3), ['state_timeout stays in a']);
  cast('set', ask(stateTimeout(100, 'do', event('goes'))));
  cast('change', to('b'));
  cast('back', to('a'));
  await system.clock.advance(200);
  assert.deepEqual(take(), ['cast set in a', 'cast change in a', 'cast back in b']);
});

test('a state time-out that is set by the change belongs to the new state', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  cast('set', ask(stateTimeout(50, 'do', event('old'))));
  cast('change', to('b', stateTimeout(100, 'do', event('new'))));
  await system.clock.advance(100);
  assert.deepEqual(take().slice(2), ['state_timeout new in b']);
});

test('a time-out that is set again starts anew; infinity and cancel end it', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  cast('set', ask(stateTimeout(100, 'do', event('first')), genericTimeout(100, 'x', event('first'))));
  await system.clock.advance(60);
  cast('again', ask(stateTimeout(100, 'do', event('second')), genericTimeout(100, 'x', event('second'))));
  await system.clock.advance(99);
  assert.deepEqual(take(), ['cast set in a', 'cast again in a']);
  await system.clock.advance(1);
  assert.deepEqual(take(), ['state_timeout second in a', 'timeout:x second in a']);
  cast(
    'set',
    ask(stateTimeout(10, 'do', event('z')), genericTimeout(10, 'x', event('z')), genericTimeout(10, 'y', event('y'))),
  );
  cast(
    'end',
    ask(stateTimeout('infinity', 'do', event('z')), genericTimeout('cancel', 'x'), genericTimeout('infinity', 'y')),
  );
  cast('set', ask(stateTimeout(10, 'do', event('z'))));
  cast('end', ask(stateTimeout('cancel'), eventTimeout('cancel')));
  await system.clock.advance(100);
  assert.deepEqual(take(), ['cast set in a', 'cast end in a', 'cast set in a', 'cast end in a']);
});

test('an event time-out is cancelled by any other event, inserted and retried ones too', async (t) => {
  const system = await startTestSystem(t);
  const idle = eventTimeout(100, 'do', event('idle'));
  const { cast, send, take } = await startMachine(system);
  cast('wait', ask(idle));
  await system.clock.advance(100);
  assert.deepEqual(take(), ['cast wait in a', 'timeout idle in a']);
  cast('wait', ask(idle));
  await system.clock.advance(99);
  send('just in time');
  await system.clock.advance(500);
  assert.deepEqual(take(), ['cast wait in a', 'info just in time in a']);
  cast('wait', ask(idle, nextEvent('internal', 'do', event('inserted'))));
  await system.clock.advance(500);
  assert.deepEqual(take(), ['cast wait in a', 'internal inserted in a']);
  cast('postponed', ({ state }) => keepStateAndData(state === 'a' ? 'postpone' : []));
  cast('change', to('b', idle));
  await system.clock.advance(500);
  assert.deepEqual(take(), ['cast postponed in a', 'cast change in a', 'cast postponed in b']);
  cast('wait', ask(idle, genericTimeout(50, 'x', event('other'))));
  await system.clock.advance(500);
  assert.deepEqual(take(), ['cast wait in b', 'timeout:x other in b']);
});

test('generic time-outs survive changes of state; the same name replaces, another name does not', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  const names = [genericTimeout(100, 'x', event('x1')), genericTimeout(150, 'y', event('y1'))];
  cast('set', ask(...names));
  cast('change', to('b', genericTimeout(200, 'x', event('x2'))));
  await system.clock.advance(150);
  assert.deepEqual(take().slice(2), ['timeout:y y1 in b']);
  await system.clock.advance(50);
  assert.deepEqual(take(), ['timeout:x x2 in b']);
});

test('OTP: a time-out of 0 comes after inserted events, before messages, also those there already', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  cast('set', ask(stateTimeout(0, 'do', event('zero')), nextEvent('internal', 'do', event('inserted'))));
  cast('waiting');
  await settle();
  assert.deepEqual(take(), ['cast set in a', 'internal inserted in a', 'state_timeout zero in a', 'cast waiting in a']);
  assert.equal(system.clock.pending, 0, 'there is no timer for it');
});

test('OTP state_timeout: time-outs of 0 come in the order set, an event time-out only if it is first', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  const later = event('2', ask(eventTimeout(0, 'do', event('4')), stateTimeout(0, 'do', event('5'))));
  cast('set', ask(stateTimeout(0, 'do', later), eventTimeout(0, 'do', event('cancelled by 2'))));
  await settle();
  assert.deepEqual(take(), ['cast set in a', 'state_timeout 2 in a', 'timeout 4 in a', 'state_timeout 5 in a']);
  const names = (name: string): any[] => [genericTimeout(0, 'y', event(name)), genericTimeout(0, 'x', event(name))];
  cast('set', ask(...names('1'), stateTimeout(0, 'do', event('1')), genericTimeout(0, 'y', event('2'))));
  await settle();
  assert.deepEqual(take(), ['cast set in a', 'timeout:x 1 in a', 'state_timeout 1 in a', 'timeout:y 2 in a']);
});

test('a change of state cancels a state time-out of 0 that waits, but no generic one', async (t) => {
  const { cast, take } = await startMachine(await startTestSystem(t));
  const leave = nextEvent('internal', 'do', event('leave', to('b')));
  cast('set', ask(stateTimeout(0, 'do', event('zero')), genericTimeout(0, 'x', event('zero')), leave));
  await settle();
  assert.deepEqual(take(), ['cast set in a', 'internal leave in a', 'timeout:x zero in b']);
});

test('a time-out of 0 that is replaced before it comes: the new one counts; OTP 25 loses it', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  const first = event('first', ask(genericTimeout(100, 'x', event('later'))));
  cast('set', ask(stateTimeout(0, 'do', first), genericTimeout(0, 'x', event('at once'))));
  await system.clock.advance(100);
  assert.deepEqual(take(), ['cast set in a', 'state_timeout first in a', 'timeout:x later in a']);
});

test('OTP timeout_cancel_and_update: update changes what comes, in the old time; if none runs, at once', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  cast('set', ask(stateTimeout(100, 'do', event('old')), genericTimeout(100, 'x', event('old'))));
  await system.clock.advance(60);
  cast('update', ask(stateTimeout('update', 'do', event('new')), genericTimeout('update', 'x', event('new'))));
  await system.clock.advance(40);
  assert.deepEqual(take().slice(2), ['state_timeout new in a', 'timeout:x new in a']);
  cast('update', ask(genericTimeout('update', 'y', event('at once')), eventTimeout('update', 'do', event('not'))));
  await settle();
  assert.deepEqual(take(), ['cast update in a', 'timeout:y at once in a']);
});

test('OTP: of several actions for one time-out the last counts: set and update is an update alone', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  cast(
    'set',
    ask(stateTimeout(10, 'do', event('first')), stateTimeout('cancel'), stateTimeout(50, 'do', event('last'))),
  );
  await system.clock.advance(50);
  assert.deepEqual(take(), ['cast set in a', 'state_timeout last in a']);
  cast('set', ask(stateTimeout(50, 'do', event('first')), stateTimeout('update', 'do', event('last'))));
  await settle();
  assert.deepEqual(take(), ['cast set in a', 'state_timeout last in a']);
});

test('a time-out that is over, but still waits: cancelled it does not come, updated it comes anew', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take } = await startMachine(system);
  const hold = (...actions: any[]): { step: Step; go: () => void } => {
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    return { step: () => gate.then(() => keepStateAndData(actions)), go: () => go() };
  };
  const cancelling = hold(stateTimeout('cancel'), genericTimeout('update', 'x', event('new')));
  cast('set', ask(stateTimeout(10, 'do', event('old')), genericTimeout(20, 'x', event('old'))));
  cast('slow', cancelling.step);
  cast('waiting');
  await system.clock.advance(50);
  cancelling.go();
  await settle();
  assert.deepEqual(take(), ['cast set in a', 'cast slow in a', 'cast waiting in a', 'timeout:x new in a']);
  const restarting = hold(stateTimeout(30, 'do', event('second')));
  cast('set', ask(stateTimeout(10, 'do', event('first'))));
  cast('slow', restarting.step);
  await system.clock.advance(20);
  restarting.go();
  await settle();
  assert.deepEqual(take(), ['cast set in a', 'cast slow in a']);
  await system.clock.advance(30);
  assert.deepEqual(take(), ['state_timeout second in a']);
});

test('a time-out at a time of the clock; OTP: one in the past comes at once, after what waits', async (t) => {
  const system = await startTestSystem(t);
  await system.clock.advance(1_000);
  const { cast, take } = await startMachine(system);
  const abs = { abs: true };
  cast('set', ({ ctx }) =>
    keepStateAndData([
      genericTimeout(ctx.clock.now() + 50, 'x', event('at 1050'), abs),
      stateTimeout(500, 'do', event('long ago'), abs),
    ]),
  );
  cast('waiting');
  await system.clock.advance(49);
  assert.deepEqual(take(), ['cast set in a', 'cast waiting in a', 'state_timeout long ago in a']);
  await system.clock.advance(1);
  assert.deepEqual(take(), ['timeout:x at 1050 in a']);
});

test('a time that no timer can take is a BadArgError in the clause; OTP: bad_action_from_state_function', async (t) => {
  const system = await startTestSystem(t);
  for (const time of [-1, Number.NaN, 2 ** 31, 'soon' as any]) {
    assert.throws(() => stateTimeout(time, 'do'), { code: 'ERR_BADARG' });
    assert.throws(() => eventTimeout(time, 'do'), { code: 'ERR_BADARG' });
    assert.throws(() => genericTimeout(time, 'x'), { code: 'ERR_BADARG' });
  }
  assert.throws(() => stateTimeout(Number.NaN, 'do', event('x'), { abs: true }), { code: 'ERR_BADARG' });
  const { cast, reasons } = await startMachine(system);
  cast('far', ask(stateTimeout(2 ** 32, 'do', event('x'), { abs: true })));
  await settle();
  assert.match(reasonText(reasons[0]), /^stateTimeout must be a number of milliseconds from 0 to 2147483647/);
});

test('init may set time-outs, and the event time-out comes before any message is taken', async (t) => {
  const system = await startTestSystem(t);
  const { take } = await startMachine(system, {
    init: () =>
      initState('a', undefined, [eventTimeout(10, 'do', event('idle')), genericTimeout(30, 'x', event('first'))]),
  });
  await system.clock.advance(30);
  assert.deepEqual(take(), ['timeout idle in a', 'timeout:x first in a']);
});

test('the time-outs of a machine that has ended are gone', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take, reasons } = await startMachine(system);
  cast(
    'set',
    ask(stateTimeout(10, 'do', event('x')), eventTimeout(10, 'do', event('x')), genericTimeout(10, 'x', event('x'))),
  );
  await settle();
  assert.equal(system.clock.pending, 3);
  cast('end', ({ data }) => stop('normal', data));
  await settle();
  assert.deepEqual(reasons, ['normal']);
  assert.equal(system.clock.pending, 0);
  assert.deepEqual(take(), ['cast set in a', 'cast end in a', 'terminate normal in a']);
});
