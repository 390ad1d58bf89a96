import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Behaviour,
  type Call,
  type Context,
  continueWith,
  enterLoop,
  type GenServer,
  genServer,
  idleTimeout,
  isErrorExit,
  name,
  noreply,
  reply,
  stop,
  sys,
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

for (const [what, behaviour] of [
  ['what is no behaviour', {}],
  ['nothing', undefined],
] as const) {
  for (const how of ['at once', 'after an await']) {
    test(`${what} cannot be entered, ${how}: the process ends with a TypeError`, async (t) => {
      const test = await startTestSystem(t);
      const enter = (): unknown => enterLoop(behaviour as unknown as Behaviour, 0);
      const later = async (): Promise<unknown> => {
        await settle();
        return enter();
      };
      const starter = await openProcess(test);
      starter.ctx.spawnMonitor(how === 'at once' ? enter : later, undefined);
      await settle();
      const [reason] = await reasonsOf(starter);
      assert.ok(isErrorExit(reason));
      assert.match(JSON.stringify(reason), /TypeError/);
    });
  }
}
