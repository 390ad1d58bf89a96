import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  channels,
  eventTimeout,
  type From,
  type GenStatem,
  genStatem,
  initState,
  keepState,
  keepStateAndData,
  nextEvent,
  nextState,
  replyTo,
  stop,
  type UnexpectedMessage,
} from '../../runtime/index.ts';
import { Process } from '../../runtime/kernel/process.ts';
import { settle } from '../../runtime/testing.ts';
import { event, reasonText, type Step, startMachine } from '../support/step-machine.ts';
import { eventsOf } from '../support/supervision-trace.ts';
import { openProcess, startTestSystem, watch } from '../support/test-system.ts';

const postpone: Step = () => keepStateAndData('postpone');
const postponeIn =
  (...states: unknown[]): Step =>
  ({ state }) =>
    states.includes(state) ? keepStateAndData('postpone') : keepStateAndData();
const to =
  (state: unknown, ...actions: any[]): Step =>
  ({ data }) =>
    nextState(state as string, data, actions);

test('OTP event_order: inserted events, then postponed ones in their order; both cancel a time-out', async (t) => {
  const { cast, call, take } = await startMachine(await startTestSystem(t));
  cast('1', postponeIn('a'));
  cast('2', postponeIn('a'));
  const buffer: Step = ({ data, ctx }) =>
    nextState('b', data, [
      nextEvent('internal', 'do', event('3')),
      nextEvent('internal', 'do', event('4')),
      eventTimeout(0, 'do', event('never')),
      replyTo(ctx.from, 'ok'),
    ]);
  assert.equal(await call('buffer', buffer), 'ok');
  await settle();
  assert.deepEqual(take().slice(3), ['internal 3 in b', 'internal 4 in b', 'cast 1 in b', 'cast 2 in b']);
});

test('a postponed event is retried after the state has changed, before events that came later', async (t) => {
  const { cast, take } = await startMachine(await startTestSystem(t));
  cast('first', postponeIn('a'));
  cast('second', postponeIn('a', 'b'));
  cast('go', to('b'));
  cast('later');
  cast('on', to('c'));
  await settle();
  assert.deepEqual(take(), [
    'cast first in a',
    'cast second in a',
    'cast go in a',
    'cast first in b',
    'cast second in b',
    'cast later in b',
    'cast on in b',
    'cast second in c',
  ]);
});

test('keepState, repeatState and nextState to the same state retry nothing', async (t) => {
  const { cast, take } = await startMachine(await startTestSystem(t), { enter: {} });
  cast('waits', postpone);
  cast('keep', ({ data }) => keepState(data));
  cast('same', to('a'));
  await settle();
  assert.deepEqual(take(), ['enter a from a', 'cast waits in a', 'cast keep in a', 'cast same in a']);
});

test('an event that is postponed by the transition that changes the state is retried in the new state', async (t) => {
  const { cast, take } = await startMachine(await startTestSystem(t));
  let tries = 0;
  const once: Step = ({ data }) => (tries++ === 0 ? nextState('b', data, 'postpone') : keepStateAndData());
  cast('again', once);
  cast('later');
  await settle();
  assert.deepEqual(take(), ['cast again in a', 'cast again in b', 'cast later in b']);
});

test('several inserted events come in the order in which they are given, before all that wait', async (t) => {
  const { cast, take } = await startMachine(await startTestSystem(t));
  const insert: Step = () =>
    keepStateAndData([
      nextEvent(
        'internal',
        'do',
        event('1', () => keepStateAndData(nextEvent('cast', 'do', event('1.1')))),
      ),
      nextEvent('info', 'do', event('2')),
      nextEvent('internal', 'do', event('3')),
    ]);
  cast('insert', insert);
  cast('later');
  await settle();
  assert.deepEqual(take(), [
    'cast insert in a',
    'internal 1 in a',
    'cast 1.1 in a',
    'info 2 in a',
    'internal 3 in a',
    'cast later in a',
  ]);
});

test('OTP event_types: every type of event can be inserted, also a call with who waits for it', async (t) => {
  const { call, take } = await startMachine(await startTestSystem(t));
  let tries = 0;
  const all: Step = ({ ctx }) =>
    tries++ > 0
      ? keepStateAndData(replyTo(ctx.from, 'stopped'))
      : keepStateAndData([
          nextEvent('internal', 'do', event('1')),
          nextEvent('stateTimeout', 'do', event('2')),
          nextEvent('eventTimeout', 'do', event('3')),
          nextEvent('info', 'do', event('4')),
          nextEvent('cast', 'do', event('5')),
          nextEvent('genericTimeout', 'x', event('6')),
          nextEvent('call', 'do', event('7', all), ctx.from),
        ]);
  assert.equal(await call('all', all), 'stopped');
  assert.deepEqual(take().slice(1), [
    'internal 1 in a',
    'state_timeout 2 in a',
    'timeout 3 in a',
    'info 4 in a',
    'cast 5 in a',
    'timeout:x 6 in a',
    'call 7 in a',
  ]);
});

test('an event without a type, and a call without its caller, is a bad action', async (t) => {
  const system = await startTestSystem(t);
  for (const action of [
    nextEvent('nothing' as 'info', 'do', event('x')),
    nextEvent('call' as 'cast', 'do', event('x')),
    (nextEvent as any)('cast', 'do', event('x'), { pid: system.opener.self, ref: 1 }),
  ]) {
    const { cast, reasons } = await startMachine(system);
    cast('insert', () => keepStateAndData(action));
    await settle();
    assert.equal(reasonText(reasons[0]), 'bad_action_from_state_function');
  }
});

test('a call may be answered later, by an action, by ctx.replyTo or by another process', async (t) => {
  const system = await startTestSystem(t);
  const { call, cast } = await startMachine(system, { init: () => initState('a', []) });
  const keep: Step = ({ data, ctx }) => keepState([...data, ctx.from]);
  const [first, second, third] = ['1', '2', '3'].map((each) => call(each, keep));
  const helper = await openProcess(system);
  cast('answer', ({ data, ctx }) => {
    const [one, two, three] = data as From<unknown>[];
    ctx.replyTo(two!, 'by ctx.replyTo');
    helper.ctx.replyTo(three!, 'by another');
    return nextState('b', [], replyTo(one!, 'by an action'));
  });
  assert.deepEqual(await Promise.all([first, second, third]), ['by an action', 'by ctx.replyTo', 'by another']);
});

test('ctx.replyTo answers the call being handled at once, and an action for it then goes nowhere', async (t) => {
  const { call } = await startMachine(await startTestSystem(t));
  const twice: Step = ({ ctx }) => {
    ctx.replyTo(ctx.from, 'first');
    return keepStateAndData(replyTo(ctx.from, 'second'));
  };
  assert.equal(await call('twice', twice), 'first');
});

test('a call whose clause is async can be answered by another process meanwhile', async (t) => {
  const system = await startTestSystem(t);
  const { call, cast, take } = await startMachine(system);
  const helper = await openProcess(system);
  let finish = (): void => {};
  const slow: Step = async ({ ctx }) => {
    helper.ctx.replyTo(ctx.from, 'by another');
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    helper.ctx.replyTo(ctx.from, 'too late');
    return keepStateAndData();
  };
  const answer = call('slow', async (at) => {
    await undefined; // from here on the clause is suspended
    return slow(at);
  });
  cast('later');
  assert.equal(await answer, 'by another');
  assert.deepEqual(take(), ['call slow in a']);
  finish();
  await settle();
  assert.deepEqual(take(), ['cast later in a']);
});

test('a postponed call is answered when it is retried', async (t) => {
  const { call, cast } = await startMachine(await startTestSystem(t));
  const open = call('enter', ({ state, ctx }) =>
    keepStateAndData(state === 'open' ? replyTo(ctx.from, 'welcome') : 'postpone'),
  );
  cast('open', to('open'));
  assert.equal(await open, 'welcome');
});

test('ctx.from exists only while a call is handled', async (t) => {
  const { cast, reasons } = await startMachine(await startTestSystem(t));
  cast('ask', ({ ctx }) => keepState(ctx.from));
  await settle();
  assert.equal(reasonText(reasons[0]), 'ctx.from exists only while an event of type call is handled');
});

test('clauses may be async: one event at a time, and actions take effect when the promise has settled', async (t) => {
  const { cast, log, take } = await startMachine(await startTestSystem(t), { enter: {} });
  const slow: Step = async ({ data }) => {
    for (let i = 0; i < 5; i++) await undefined;
    log.push('done');
    return nextState('b', data, nextEvent('internal', 'do', event('inserted')));
  };
  cast('slow', slow);
  cast('later');
  await settle();
  assert.deepEqual(take(), [
    'enter a from a',
    'cast slow in a',
    'done',
    'enter b from a',
    'internal inserted in b',
    'cast later in b',
  ]);
});

test('a clause that never settles blocks its machine only, and handlerTimeoutMs ends it', async (t) => {
  const system = await startTestSystem(t);
  const { cast, reasons } = await startMachine(system, {}, { handlerTimeoutMs: 50 });
  cast('hang', () => new Promise(() => {}));
  await system.clock.advance(50);
  assert.deepEqual(reasons, [{ handler_timeout: 'do' }]);
});

test('a machine that inserts events for ever leaves others their turn', async (t) => {
  const system = await startTestSystem(t);
  const { cast, reasons } = await startMachine(system);
  let rounds = 0;
  const again: Step = () => {
    rounds++;
    return keepStateAndData(nextEvent('internal', 'do', event('again', again)));
  };
  cast('again', again);
  const other = await startMachine(system);
  assert.equal(await other.call('hello', ({ ctx }) => keepStateAndData(replyTo(ctx.from, 'hello'))), 'hello');
  assert.ok(rounds > 0);
  assert.deepEqual(reasons, []);
});

test('receive in a clause takes messages past the machine, but none of its own steps', async (t) => {
  const system = await startTestSystem(t);
  const { pid, cast, take } = await startMachine(system);
  let taken: unknown;
  cast('wait', async ({ ctx }) => {
    taken = await ctx.receive(() => true, 'infinity');
    return keepStateAndData(nextEvent('internal', 'do', event('inserted')));
  });
  await settle();
  system.system.send<any, any>(pid, 'wanted', 1);
  await settle();
  assert.deepEqual(taken, { kind: 'info', tag: 'wanted', payload: 1 });
  assert.deepEqual(take(), ['cast wait in a', 'internal inserted in a']);
});

interface DoorProtocol {
  readonly cast: { readonly push: void; readonly lock: void };
  readonly info: { readonly look: void };
  readonly internal: { readonly slam: void };
  readonly state: 'open' | 'closed';
  readonly data: string[];
}

const note = (data: string[], text: string): any => {
  data.push(text);
  return keepStateAndData();
};

const Door: GenStatem<DoorProtocol, string[]> = genStatem(import.meta, 'Door', {
  init: (log) => initState('open', log),
  states: {
    open: {
      cast: { push: (log) => nextState('closed', log), lock: (log) => note(log, 'open: lock') },
      info: { look: (log) => note(log, 'open: look') },
    },
    closed: { cast: { push: (log) => keepState(log, nextEvent('internal', 'slam')) } },
  },
  handleEvent: {
    cast: { lock: (state, log) => note(log, `any, ${state}: lock`) },
    info: { look: (state, log) => note(log, `any, ${state}: look`), DOWN: (_state, log) => note(log, 'any: DOWN') },
  },
});

test('the clause of the state comes before the one for all states', async (t) => {
  const system = await startTestSystem(t);
  const log: string[] = [];
  const pid = system.opener.spawn(Door, log);
  system.system.cast(pid, 'lock');
  system.system.send(pid, 'look');
  system.system.cast(pid, 'push');
  system.system.cast(pid, 'lock');
  system.system.send(pid, 'look');
  await settle();
  assert.deepEqual(log, ['open: lock', 'open: look', 'any, closed: lock', 'any, closed: look']);
});

test('an event without a clause ends the machine with a function clause error; OTP: function_clause', async (t) => {
  const system = await startTestSystem(t);
  for (const tag of ['slam', 'constructor', '__proto__']) {
    const pid = system.opener.spawn(Door, []);
    const { reasons } = await watch(system, pid);
    if (tag === 'slam') system.system.cast(pid, 'push'); // the second push inserts it
    system.system.cast<any, any>(pid, tag === 'slam' ? 'push' : tag);
    await settle();
    const { error } = reasons[0] as { error: { code: string; message: string } };
    assert.equal(error.code, 'ERR_FUNCTION_CLAUSE');
    assert.match(error.message, new RegExp(`^no clause \\w+\\.${tag} for the state '(open|closed)' in .*#Door$`));
  }
});

test('an info message without a clause is published and dropped, but is an event; OTP: function_clause', async (t) => {
  const system = await startTestSystem(t);
  const unexpected = eventsOf<UnexpectedMessage>(t, channels.unexpectedMessage, system.system.name);
  const { pid, cast, take, reasons } = await startMachine(system);
  cast('wait', () => keepStateAndData(eventTimeout(10, 'do', event('late'))));
  for (const tag of ['unknown', 'constructor', '__proto__']) system.system.send<any, any>(pid, tag, tag);
  await system.clock.advance(20);
  assert.deepEqual(take(), ['cast wait in a'], 'the event time-out was cancelled');
  assert.deepEqual(reasons, []);
  assert.deepEqual(
    unexpected.map((each) => [each.pid, each.tag, each.payload]),
    ['unknown', 'constructor', '__proto__'].map((tag) => [pid, tag, tag]),
  );
});

test('messages of the runtime reach the machine: DOWN, and EXIT of others than its parent', async (t) => {
  const system = await startTestSystem(t);
  const log: string[] = [];
  const door = system.opener.spawn(Door, log);
  const victim = await openProcess(system);
  const { cast, take } = await startMachine(system, { trapExit: true });
  cast('link', ({ ctx }) => {
    ctx.link(victim.pid);
    return keepStateAndData();
  });
  await settle();
  system.system.send<any, any>(door, 'DOWN', {});
  victim.fail('boom');
  await settle();
  assert.deepEqual(log, ['any: DOWN']);
  assert.deepEqual(take(), ['cast link in a', 'info EXIT boom in a']);
});

test('states are compared by value: a state of the same structure is no change', async (t) => {
  const { cast, take } = await startMachine(await startTestSystem(t), {
    init: () => initState({ floor: 1 }, undefined),
    enter: {},
  });
  cast('waits', ({ state }) => keepStateAndData((state as { floor: number }).floor === 1 ? 'postpone' : []));
  cast('same', to({ floor: 1 }));
  cast('up', to({ floor: 2 }));
  await settle();
  assert.deepEqual(take(), [
    'enter {"floor":1} from {"floor":1}',
    'cast waits in {"floor":1}',
    'cast same in {"floor":1}',
    'cast up in {"floor":1}',
    'enter {"floor":2} from {"floor":1}',
    'cast waits in {"floor":2}',
  ]);
});

test('hibernate is no event: it comes after what is inserted, and the next message wakes the machine', async (t) => {
  const compacted = t.mock.method(Process.prototype, 'compact').mock;
  const { cast, call, take } = await startMachine(await startTestSystem(t));
  cast('busy', () => keepStateAndData(['hibernate', nextEvent('internal', 'do', event('first'))]));
  await settle();
  assert.equal(compacted.callCount(), 0);
  cast('sleep', () => keepStateAndData('hibernate'));
  await settle();
  assert.equal(compacted.callCount(), 1);
  assert.equal(await call('wake', ({ ctx }) => keepStateAndData(replyTo(ctx.from, 'good morning'))), 'good morning');
  assert.deepEqual(take(), ['cast busy in a', 'internal first in a', 'cast sleep in a', 'call wake in a']);
});

test('what a clause brings on itself takes effect when it yields; terminate does not run', async (t) => {
  const system = await startTestSystem(t);
  const { cast, take, reasons } = await startMachine(system);
  cast('end', ({ data, ctx }) => {
    try {
      ctx.exitProcess(ctx.self, 'boom');
    } catch {
      // the exit cannot be caught
    }
    return stop('normal', data);
  });
  await settle();
  assert.deepEqual(reasons, ['boom']);
  assert.deepEqual(take(), ['cast end in a']);
});
