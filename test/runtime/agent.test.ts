import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AgentProtocol,
  agent,
  CallError,
  type Context,
  continueWith,
  type Dest,
  ignore,
  isErrorExit,
  name,
  noreply,
  type Pid,
  reply,
  stop,
  sys,
} from '../../runtime/index.ts';
import { deepFreeze, settle } from '../../runtime/testing.ts';
import { openProcess, reasonsOf, startTestSystem, watch } from '../support/test-system.ts';

async function startAgent<State>(ctx: Context, init: () => State | Promise<State>): Promise<Pid<AgentProtocol<State>>> {
  const started = await agent.start<State>(ctx, init);
  assert.ok(started !== 'ignore' && 'ok' in started, JSON.stringify(started));
  return started.ok;
}

test('an agent keeps a state that functions read and change', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const count = await startAgent(opener, () => 1);
  assert.equal(await agent.get(system, count, (state) => state + 1), 2);
  assert.equal(await agent.get(system, count, (state) => state), 1, 'get changes nothing');
  assert.equal(await agent.update(system, count, (state) => state + 10), 'ok');
  assert.equal(await agent.getAndUpdate(system, count, (state) => reply(`was ${state}`, state * 2)), 'was 11');
  agent.cast(system, count, (state) => state + 1);
  assert.equal(await agent.get(system, count, (state) => state), 23);
});

test('the functions run in the agent, one after another, also if they are async', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const list = await startAgent<string[]>(opener, async () => {
    await settle(1);
    return ['init'];
  });
  const append = (text: string) => async (state: string[]) => {
    await settle(1);
    return [...state, text];
  };
  agent.cast(system, list, append('a'));
  const updated = agent.update(system, list, append('b'));
  const got = agent.getAndUpdate(system, list, async (state) => reply(state.length, [...state, 'c']));
  assert.equal(await got, 3);
  await updated;
  assert.deepEqual(await agent.get(system, list, async (state) => state), ['init', 'a', 'b', 'c']);
});

test('any value may be a state, also one that init of a server would take for a result', async (t) => {
  const { system, opener } = await startTestSystem(t);
  for (const value of [undefined, null, ignore(), noreply(1), 'ignore']) {
    const held = await startAgent<unknown>(opener, () => value);
    assert.equal(await agent.get(system, held, (state) => state), value);
    await agent.update(system, held, () => value);
    assert.equal(await agent.get(system, held, (state) => state), value);
  }
});

test('a function that throws ends the agent, and the caller learns why', async (t) => {
  const { system, opener } = await startTestSystem(t);
  for (const fail of [
    (dest: Dest) => agent.get(system, dest, () => assert.fail('boom')),
    (dest: Dest) => agent.getAndUpdate(system, dest, () => assert.fail('boom')),
    (dest: Dest) => agent.update(system, dest, async () => assert.fail('boom')),
  ]) {
    const pid = await startAgent(opener, () => 1);
    await assert.rejects(fail(pid), (error) => {
      assert.ok(error instanceof CallError && error.code === 'ERR_CALL_EXIT' && isErrorExit(error.reason));
      return (error.reason.error as Error).message === 'boom';
    });
    assert.equal(system.isAlive(pid), false);
  }
  const pid = await startAgent(opener, () => 1);
  const { reasons } = await watch({ opener }, pid);
  agent.cast(system, pid, () => assert.fail('boom'));
  await settle();
  assert.ok(isErrorExit(reasons[0]));
});

test('getAndUpdate without a reply ends the agent with bad_return_value', async (t) => {
  const { system, opener } = await startTestSystem(t);
  for (const result of [1, undefined, noreply(1), stop('x', 1), reply(1, 1, continueWith('x'))]) {
    const pid = await startAgent(opener, () => 1);
    await assert.rejects(
      agent.getAndUpdate(system, pid, () => result as never),
      (error) => error instanceof CallError && deepEqual(error.reason, { bad_return_value: result }),
    );
  }
});

test('an init that throws fails the start, and ends a linked starter', async (t) => {
  const system = await startTestSystem(t);
  const parent = await openProcess(system, { trapExit: true });
  const started = await agent.startLink(parent.ctx, () => assert.fail('no state'));
  assert.ok(started !== 'ignore' && 'error' in started && isErrorExit(started.error));
  assert.deepEqual(await reasonsOf(parent), [started.error]);
});

test('a call that takes too long rejects, and the change is made all the same', async (t) => {
  const { system, clock, opener } = await startTestSystem(t);
  const pid = await startAgent(opener, () => 1);
  let finish: (state: number) => void = () => {};
  const change = (): Promise<number> =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const rejected = assert.rejects(
    agent.update(system, pid, change, { timeoutMs: 10 }),
    (error) => error instanceof CallError && error.code === 'ERR_CALL_TIMEOUT',
  );
  await clock.advance(10);
  await rejected;
  finish(7);
  assert.equal(await agent.get(system, pid, (state) => state), 7);
});

test('a supervised agent is restarted with the state that its init makes', async (t) => {
  const count = name<AgentProtocol<number>>('count');
  let starts = 0;
  const spec = agent.child(() => ++starts * 100, { name: count });
  assert.deepEqual([spec.id, spec.restart, spec.type], ['Agent', 'permanent', 'worker']);
  const { system } = await startTestSystem(t, { children: [spec], intensity: 1, onSend: deepFreeze });
  await agent.update(system, count, (state) => state + 1);
  assert.equal(await agent.get(system, count, (state) => state), 101);
  agent.cast(system, count, () => assert.fail('boom'));
  await settle();
  assert.equal(await agent.get(system, count, (state) => state), 200);
  assert.equal(await sys.getState(system, count), 200);
});

function deepEqual(actual: unknown, expected: unknown): boolean {
  assert.deepEqual(actual, expected);
  return true;
}
