import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CrashReport,
  channels,
  type From,
  type GenStatem,
  genStatem,
  initState,
  isErrorExit,
  keepState,
  keepStateAndData,
  nextState,
  noreply,
  type ReplyAction,
  replyTo,
  type StatemAction,
  stateTimeout,
  stop,
  stopAndReply,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { event, reasonText, type Step, startMachine } from '../support/step-machine.ts';
import { eventsOf } from '../support/supervision-trace.ts';
import { mailboxOf, openProcess, startTestSystem, watch } from '../support/test-system.ts';

test('OTP stop_and_reply: replies are sent in order, before terminate; then the machine exits', async (t) => {
  const system = await startTestSystem(t);
  const order: string[] = [];
  let finish = (): void => {};
  const { call, cast, reasons } = await startMachine(system, {
    init: () => initState('a', []),
    terminate: () => {
      order.push('terminate');
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
  });
  const open = ['1', '2'].map((each) => {
    return call(each, ({ data, ctx }) => keepState([...data, ctx.from])).then((value) => order.push(String(value)));
  });
  cast('end', ({ data }) => {
    const replies = (data as From[]).map((from, index) => replyTo(from, `reply ${index}`));
    return stopAndReply('reason', replies, data);
  });
  await Promise.all(open);
  await settle();
  assert.deepEqual(reasons, [], 'the callers go on while terminate is pending');
  finish();
  await settle();
  assert.deepEqual(order, ['terminate', 'reply 0', 'reply 1']);
  assert.deepEqual(reasons, ['reason']);
});

test('stop ends the machine after terminate, which sees the new data; what waits is not handled', async (t) => {
  const system = await startTestSystem(t);
  const seen: unknown[] = [];
  const { cast, take, reasons } = await startMachine(system, {
    init: () => initState('a', 'old'),
    terminate: (reason, state, data) => seen.push([reason, state, data]),
  });
  cast('postponed', () => keepStateAndData('postpone'));
  cast('end', () => stop('normal', 'new'));
  cast('later');
  await settle();
  assert.deepEqual(take(), ['cast postponed in a', 'cast end in a', 'terminate normal in a']);
  assert.deepEqual(seen, [['normal', 'a', 'new']]);
  assert.deepEqual(reasons, ['normal']);
});

test('a throw, a rejection and ctx.exit end the machine; terminate sees the data before the event', async (t) => {
  const system = await startTestSystem(t);
  const boom = (): never => {
    throw new Error('boom');
  };
  const steps: [Step, string][] = [
    [boom, 'boom'],
    [async () => boom(), 'boom'],
    [({ ctx }) => ctx.exit('why'), 'why'],
  ];
  for (const [step, text] of steps) {
    const seen: unknown[] = [];
    const { cast, reasons } = await startMachine(system, {
      init: () => initState('a', 'old'),
      terminate: (_reason, state, data) => seen.push([state, data]),
    });
    cast('fail', step);
    await settle();
    assert.equal(reasonText(reasons[0]), text);
    assert.deepEqual(seen, [['a', 'old']]);
  }
});

test('OTP abnormal2: a result that is none of a machine: bad_return_from_state_function with it', async (t) => {
  const system = await startTestSystem(t);
  for (const result of ['badreturn', noreply(1), initState('a', 1), {}, 0] as const) {
    const client = await openProcess(system);
    const { pid, reasons } = await startMachine(system);
    const failed = client.ctx
      .call(
        pid,
        'do',
        event('ask', () => result),
      )
      .catch((error: unknown) => error);
    const expected = { error: { bad_return_from_state_function: result }, stack: '' };
    assert.deepEqual(((await failed) as { reason: unknown }).reason, expected);
    assert.deepEqual(reasons, [expected]);
  }
});

test('OTP abnormal3: a wrong action: bad_action_from_state_function; terminate sees the new state', async (t) => {
  const system = await startTestSystem(t);
  for (const action of ['badaction', 1_000, { reply: 1 }, replyTo({} as From, 1)] as unknown as StatemAction[]) {
    const { cast, take, reasons } = await startMachine(system);
    cast('act', () => nextState('b', 1, action));
    await settle();
    assert.deepEqual(reasons, [{ error: { bad_action_from_state_function: action }, stack: '' }]);
    assert.deepEqual(take(), ['cast act in a', 'terminate bad_action_from_state_function in b']);
  }
});

test('actions before a wrong one have been carried out, as in OTP; those after it have not', async (t) => {
  const { call, take, reasons } = await startMachine(await startTestSystem(t));
  const act: Step = ({ ctx }) =>
    keepStateAndData([replyTo(ctx.from, 'first'), 'bad' as 'postpone', replyTo(ctx.from, 'no')]);
  assert.equal(await call('act', act), 'first');
  await settle();
  assert.equal(reasonText(reasons[0]), 'bad_action_from_state_function');
  assert.equal(take().length, 2);
});

test('a wrong reply of stopAndReply: bad_reply_action_from_state_function; those before it are sent', async (t) => {
  const { call, reasons } = await startMachine(await startTestSystem(t));
  const wrong = stateTimeout(0, 'do') as unknown as ReplyAction;
  const act: Step = ({ ctx }) => stopAndReply('why', [replyTo(ctx.from, 'sent'), wrong], 1);
  assert.equal(await call('act', act), 'sent');
  await settle();
  assert.deepEqual(reasons, [{ error: { bad_reply_action_from_state_function: wrong }, stack: '' }]);
});

test('the exit signal of its parent: a machine that traps exits runs terminate, another ends at once', async (t) => {
  const system = await startTestSystem(t);
  const traps = await startMachine(system, { trapExit: true });
  traps.cast('waits', () => keepStateAndData('postpone'));
  await settle();
  system.opener.exitProcess(traps.pid, 'shutdown');
  await settle();
  assert.deepEqual(traps.take(), ['cast waits in a', 'terminate shutdown in a']);
  assert.deepEqual(traps.reasons, ['shutdown']);
  const plain = await startMachine(system);
  system.opener.exitProcess(plain.pid, 'shutdown');
  await settle();
  assert.deepEqual([plain.take(), plain.reasons], [[], ['shutdown']]);
});

test('a killed machine does not run terminate, and its late result counts for nothing', async (t) => {
  const system = await startTestSystem(t);
  const { pid, cast, take, reasons } = await startMachine(system);
  let finish = (): void => {};
  cast('slow', async ({ data }) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return nextState('b', data);
  });
  await settle();
  system.opener.exitProcess(pid, 'kill');
  finish();
  await settle();
  assert.deepEqual(take(), ['cast slow in a']);
  assert.deepEqual(reasons, ['killed']);
});

test('an error in terminate replaces the reason, whether it throws or rejects', async (t) => {
  const system = await startTestSystem(t);
  const crash = (): never => {
    throw new Error('in terminate');
  };
  for (const terminate of [crash, async () => crash()]) {
    const { cast, reasons } = await startMachine(system, { terminate });
    cast('end', ({ data }) => stop('why', data));
    await settle();
    assert.equal(reasonText(reasons[0]), 'in terminate');
  }
});

test('a crash is reported with the event, the state and the data; orderly ends are not', async (t) => {
  const system = await startTestSystem(t);
  const reports = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  for (const reason of ['normal', 'shutdown', { shutdown: 1 }]) {
    const { cast } = await startMachine(system);
    cast('end', ({ data }) => stop(reason, data));
  }
  await settle();
  assert.equal(reports.length, 0);
  const { pid, cast } = await startMachine(system, { init: () => initState('b', { secret: 1 }) });
  const act: Step = () => {
    throw new Error('boom');
  };
  cast('fail', act);
  await settle();
  assert.equal(reports.length, 1);
  const [report] = reports;
  assert.equal(report?.pid, pid);
  assert.ok(isErrorExit(report?.reason));
  assert.deepEqual(report?.lastMessage, { kind: 'cast', tag: 'do', payload: event('fail', act) });
  assert.deepEqual(report?.state, { state: 'b', data: { secret: 1 } });
});

const Secret: GenStatem<{
  readonly cast: { readonly fail: void };
  readonly stateTimeout: { readonly fail: void };
  readonly state: 'a';
  readonly data: { readonly password: string };
}> = genStatem(import.meta, 'Secret', {
  init: () => initState('a', { password: 'x' }, stateTimeout(10, 'fail')),
  states: { a: { cast: { fail: (data) => stop('bad', data) }, stateTimeout: { fail: (data) => stop('late', data) } } },
  formatStatus: (state, data) => [state, Object.keys(data)],
});

test('formatStatus says what a crash report shows of state and data', async (t) => {
  const system = await startTestSystem(t);
  const reports = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  const pid = system.opener.spawn(Secret, undefined);
  system.system.cast(pid, 'fail');
  await settle();
  assert.deepEqual(reports[0]?.state, ['a', ['password']]);
  const other = system.opener.spawn(Secret, undefined);
  const { reasons } = await watch(system, other);
  await system.clock.advance(10);
  assert.deepEqual(reasons, ['late']);
  assert.deepEqual(reports[1]?.lastMessage, { kind: 'stateTimeout', tag: 'fail', payload: undefined });
});

test('the replies and exits of a machine leave nothing else in the mailbox of its client', async (t) => {
  const system = await startTestSystem(t);
  const client = await openProcess(system);
  const { pid } = await startMachine(system);
  const act: Step = ({ data, ctx }) => stopAndReply({ shutdown: 'done' }, replyTo(ctx.from, 'stopped'), data);
  assert.equal(await client.ctx.call(pid, 'do', event('stop', act)), 'stopped');
  await assert.rejects(client.ctx.call(pid, 'do', event('again')), { code: 'ERR_CALL_NOPROC' });
  assert.deepEqual(await mailboxOf(client), []);
});
