import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, type GenServer, genServer, noreply, type Pid, reply } from '../../runtime/index.ts';
import { MESSAGES_PER_LOOP, MESSAGES_PER_TURN } from '../../runtime/limits.ts';
import { settle } from '../../runtime/testing.ts';
import { openProcess, startTestSystem, type TestSystem } from '../support/test-system.ts';

interface Counted {
  handled: number;
}

type Each = (state: Counted, ctx: Context) => unknown;

/** Counts its messages and does what it was started with for each. */
const Counter: GenServer<any, { readonly count: Counted; readonly each?: Each }> = genServer(import.meta, 'Counter', {
  init: (start: { count: Counted; each?: Each }) => start,
  handleCall: { ping: (state: { count: Counted }) => reply(state.count.handled++, state) },
  handleCast: {
    work: (state: { count: Counted; each?: Each }, _payload: unknown, ctx: Context) => {
      state.count.handled++;
      const more = state.each?.(state.count, ctx);
      return more instanceof Promise ? more.then(() => noreply(state)) : noreply(state);
    },
  },
} as never);

async function startCounter(system: TestSystem, each?: Each): Promise<{ pid: Pid; count: Counted }> {
  const count = { handled: 0 };
  const result = await system.opener.start(Counter, each === undefined ? { count } : { count, each });
  assert.ok(result !== 'ignore' && 'ok' in result);
  return { pid: result.ok, count };
}

/** The value of a count when the host had its next turn: at the next `setImmediate`. */
function atNextTurn(count: Counted): Promise<number> {
  return new Promise((resolve) => setImmediate(() => resolve(count.handled)));
}

/** Far more than any budget: a test that reaches it has starved the host. */
const flood = 100_000;

test('a flood of messages does not starve the timers and sockets of the host', async (t) => {
  const system = await startTestSystem(t);
  const { pid, count } = await startCounter(system);
  await settle();
  for (let i = 0; i < flood; i++) system.system.cast(pid, 'work');
  const handled = await atNextTurn(count);
  assert.ok(handled <= MESSAGES_PER_LOOP + MESSAGES_PER_TURN, `${handled} messages before the host had a turn`);
  assert.ok(handled > 0);
  await settle(Math.ceil(flood / MESSAGES_PER_LOOP) + 10);
  assert.equal(count.handled, flood, 'all are handled in the end');
});

test('processes that call each other without end do not starve the host', async (t) => {
  const system = await startTestSystem(t);
  const { pid, count } = await startCounter(system);
  await settle();
  let stop = false;
  system.opener.spawn(async (_arg, ctx) => {
    while (!stop && count.handled < flood) await ctx.call(pid, 'ping');
  }, undefined);
  const handled = await atNextTurn(count);
  stop = true;
  assert.ok(handled <= MESSAGES_PER_LOOP + MESSAGES_PER_TURN, `${handled} calls before the host had a turn`);
});

test('a server with async handlers and a long mailbox does not starve the host', async (t) => {
  const system = await startTestSystem(t);
  const { pid, count } = await startCounter(system, async () => {});
  await settle();
  for (let i = 0; i < flood; i++) system.system.cast(pid, 'work');
  const handled = await atNextTurn(count);
  assert.ok(handled <= MESSAGES_PER_LOOP + MESSAGES_PER_TURN, `${handled} messages before the host had a turn`);
});

test('a process that sends to itself without end does not starve the others', async (t) => {
  const system = await startTestSystem(t);
  let stop = false;
  const busy = await startCounter(system, (count, ctx) => {
    if (!stop && count.handled < flood) ctx.cast(ctx.self, 'work');
  });
  const other = await startCounter(system);
  system.system.cast(busy.pid, 'work');
  await settle(1);
  system.system.cast(other.pid, 'work');
  await settle(2);
  stop = true;
  assert.equal(other.count.handled, 1);
  assert.ok(busy.count.handled < flood, 'the test needs the busy one to be busy still');
});

test('a process with a long mailbox has turns: another one is served after at most two of them', async (t) => {
  const system = await startTestSystem(t);
  const busy = await startCounter(system);
  let before = -1;
  const other = await startCounter(system, () => {
    before = busy.count.handled;
  });
  await settle();
  for (let i = 0; i < 10 * MESSAGES_PER_TURN; i++) system.system.cast(busy.pid, 'work');
  system.system.cast(other.pid, 'work');
  await settle();
  assert.ok(before >= 0 && before <= 2 * MESSAGES_PER_TURN, `served after ${before} messages of the other`);
});

test('a round also ends when its time is over, however few its messages were', async (t) => {
  const system = await startTestSystem(t);
  let ms = 0;
  Object.defineProperty(system.clock, 'now', { value: () => ms });
  const { pid, count } = await startCounter(system, () => {
    ms += 1; // every message takes 1 ms
  });
  await settle();
  for (let i = 0; i < MESSAGES_PER_LOOP; i++) system.system.cast(pid, 'work');
  const handled = await atNextTurn(count);
  assert.ok(handled < MESSAGES_PER_LOOP / 2, `${handled} messages of 1 ms before the host had a turn`);
});

test('a timer that falls due during a flood is served within a round', async (t) => {
  const system = await startTestSystem(t);
  const { pid, count } = await startCounter(system);
  const sleeper = await openProcess(system);
  let at = -1;
  void sleeper.ctx
    .receive(({ tag }) => tag === 'tick', 'infinity')
    .then(() => {
      at = count.handled;
    });
  sleeper.ctx.sendAfter(10, 'tick');
  for (let i = 0; i < flood; i++) system.system.cast(pid, 'work');
  await system.clock.advance(10);
  await settle(6);
  assert.ok(at >= 0 && at < flood, `at ${at}`);
});
