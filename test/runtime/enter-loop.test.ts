import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  agent,
  applicationController,
  type Behaviour,
  type Call,
  type Context,
  continueWith,
  enterLoop,
  type GenServer,
  genEvent,
  genServer,
  idleTimeout,
  isErrorExit,
  name,
  noreply,
  pg,
  registry,
  reply,
  stop,
  supervisor,
  sys,
  task,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { openProcess, reasonsOf, startTestSystem, watch } from '../support/test-system.ts';

interface CounterProtocol {
  readonly call: { readonly count: Call<undefined, number> };
  readonly cast: { readonly add: number; readonly end: undefined };
}

let inits = 0;
const Counter: GenServer<CounterProtocol, undefined> = genServer(import.meta, 'Counter', {
  init: () => ++inits,
  handleCall: { count: (n: number) => reply(n, n) },
  handleCast: { add: (n: number, by) => noreply(n + by), end: (n: number) => stop('done', n) },
  handleInfo: { timeout: (n: number) => noreply(n + 1_000) },
  handleContinue: { more: (n: number, by) => noreply(n + (by as number)) },
});

test('a function becomes a server without init: pid, name, links and waiting messages stay', async (t) => {
  const { system, opener } = await startTestSystem(t);
  let go: () => void = () => {};
  const first = async (_arg: undefined, ctx: Context): Promise<unknown> => {
    ctx.register(name('counter'));
    await new Promise<void>((resolve) => (go = resolve));
    return enterLoop(Counter, 40);
  };
  const pid = opener.spawnLink(first, undefined);
  await settle();
  system.cast(pid, 'add', 2);
  const answer = system.call(pid, 'count');
  const before = inits;
  go();
  assert.equal(await answer, 42);
  assert.equal(await system.call(name<CounterProtocol>('counter'), 'count'), 42);
  assert.equal(inits, before);
  assert.deepEqual(system.processInfo(pid)?.links, [opener.self]);
  assert.equal(await sys.getState(system, pid), 42);
});

test('it ends as a server ends, with the reason of its handler', async (t) => {
  const test = await startTestSystem(t);
  const pid = test.opener.spawn(() => enterLoop(Counter, 1), undefined);
  const seen = await watch(test, pid);
  assert.equal(await test.system.call(pid, 'count'), 1);
  test.system.cast(pid, 'end');
  await settle();
  assert.deepEqual(seen.reasons, ['done']);
});

test('next: a continue comes before what waits, an idle timeout when nothing comes', async (t) => {
  const { system, opener, clock } = await startTestSystem(t);
  const continued = opener.spawn(() => enterLoop(Counter, 1, continueWith('more', 10)), undefined);
  assert.equal(await system.call(continued, 'count'), 11);
  const idle = opener.spawn(() => enterLoop(Counter, 1, idleTimeout(50)), undefined);
  await settle();
  await clock.advance(50);
  assert.equal(await system.call(idle, 'count'), 1_001);
});

test('a bound of the mailbox and trapExit outlive the change', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const enter = (_arg: undefined, ctx: Context): unknown => {
    ctx.trapExit(true);
    return enterLoop(Counter, 0);
  };
  const pid = opener.spawn(enter, undefined, { mailboxMax: 3 });
  await settle();
  const info = system.processInfo(pid);
  assert.deepEqual([info?.mailboxMax, info?.trapExit, info?.currentCall], [3, true, null]);
});

const notBehaviours = { nothing: undefined, 'what is no behaviour': {}, 'a function': () => 0 };
for (const [what, behaviour] of Object.entries(notBehaviours)) {
  test(`${what} cannot be entered: enterLoop throws BadArgError in the process`, async (t) => {
    const test = await startTestSystem(t);
    const starter = await openProcess(test);
    starter.ctx.spawnMonitor(() => enterLoop(behaviour as unknown as Behaviour, 0), undefined);
    const [reason] = await reasonsOf(starter);
    assert.ok(isErrorExit(reason));
    assert.match((reason.error as Error).message, /^what is entered must be a behaviour, not /);
    assert.equal((reason.error as { code: string }).code, 'ERR_BADARG');
  });
}

const ofTheRuntime = {
  'a supervisor': supervisor('sup', {}, []).start.behaviour,
  'an event manager': genEvent.child().start.behaviour,
  'a scope of groups': pg.childSpec().start.behaviour,
  'a registry': registry('r', { keys: 'unique' }).childSpec.start.behaviour,
  'an application controller': applicationController().start.behaviour,
  'a task': task.child(() => 0).start.behaviour,
};
for (const [what, behaviour] of Object.entries(ofTheRuntime)) {
  for (const how of ['at once', 'after an await']) {
    test(`${what} cannot be entered, ${how}: the process ends with BadArgError`, async (t) => {
      const test = await startTestSystem(t);
      const enter = (): unknown => enterLoop(behaviour, []);
      const later = async (): Promise<unknown> => {
        await settle();
        return enter();
      };
      const starter = await openProcess(test);
      const { pid } = starter.ctx.spawnMonitor(how === 'at once' ? enter : later, undefined);
      await settle();
      const [reason] = await reasonsOf(starter);
      assert.ok(isErrorExit(reason));
      assert.match((reason.error as Error).message, /cannot be entered/);
      assert.equal((reason.error as { code: string }).code, 'ERR_BADARG');
      assert.equal(test.system.isAlive(pid), false);
    });
  }
}

test('an agent can be entered: any value is its state', async (t) => {
  const { system, opener } = await startTestSystem(t);
  const pid = opener.spawn(() => enterLoop(agent.child(() => 0).start.behaviour, 7), undefined);
  assert.equal(await agent.get(system, pid, (state) => state), 7);
});

test('what is no next is refused where it is given', () => {
  assert.throws(() => enterLoop(Counter, 0, 5 as never), { code: 'ERR_BADARG', message: /^next must be/ });
});
