import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  CallError,
  type CallExit,
  type Context,
  type From,
  type GenServer,
  genServer,
  name,
  noreply,
  type Pid,
  reply,
  stop,
  stopReply,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import {
  mailboxOf,
  openProcess,
  reasonsOf,
  startTestSystem,
  type TestSystem,
  tagsOf,
  watch,
} from '../support/test-system.ts';

type Step = (ctx: Context) => unknown;
interface Protocol {
  readonly call: {
    readonly echo: Call<unknown, unknown>;
    readonly slow: Call<Promise<unknown>, unknown>;
    readonly later: Call<void, unknown>;
    readonly stop: Call<{ readonly reason: unknown }, never>;
    readonly stopReply: Call<{ readonly reason: unknown }, string>;
    readonly run: Call<Step, unknown>;
    readonly log: Call<void, readonly unknown[]>;
  };
  readonly cast: { readonly note: unknown; readonly run: Step };
}
interface State {
  readonly log: unknown[];
  readonly terminating: () => unknown;
  readonly later: From[];
}

const Server: GenServer<Protocol, State> = genServer(import.meta, 'Server', {
  init: (state: State) => state,
  handleCall: {
    echo: (state: State, payload) => {
      state.log.push(payload);
      return reply(payload, state);
    },
    slow: async (state: State, promise) => reply(await promise, state),
    later: (state: State, _payload, ctx) => {
      state.later.push(ctx.from);
      return noreply(state);
    },
    stop: (state: State, { reason }) => stop(reason, state),
    stopReply: (state: State, { reason }) => stopReply(reason, 'bye', state),
    run: async (state: State, step, ctx) => reply(await step(ctx), state),
    log: (state: State) => reply(state.log as readonly unknown[], state),
  },
  handleCast: {
    note: (state: State, payload) => {
      state.log.push(payload);
      return noreply(state);
    },
    run: async (state: State, step, ctx) => {
      await step(ctx);
      return noreply(state);
    },
  },
  terminate: (_reason, state: State) => state.terminating(),
});

interface Started extends State {
  readonly pid: Pid<Protocol>;
}

async function startServer(system: TestSystem, terminating: () => unknown = () => {}): Promise<Started> {
  const state: State = { log: [], terminating, later: [] };
  const result = await system.opener.start(Server, state, { name: 'server' });
  assert.ok(result !== 'ignore' && 'ok' in result);
  return { ...state, pid: result.ok };
}

test('reply answers the call, by pid and by name, from a process and from the system', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startServer(system);
  const caller = await openProcess(system);
  assert.equal(await caller.ctx.call(pid, 'echo', 'a'), 'a');
  assert.equal(await caller.ctx.call(name<Protocol>('server'), 'echo', 'b'), 'b');
  assert.equal(await system.system.call(pid, 'echo', undefined), undefined);
  assert.deepEqual(await mailboxOf(caller), [], 'a reply is no message');
});

test('noreply leaves the call open until replyTo answers it, once, from any process', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const [caller, other] = [await openProcess(system), await openProcess(system)];
  const answer = caller.ctx.call(server.pid, 'later');
  await settle();
  const [from] = server.later;
  assert.ok(from !== undefined);
  assert.equal(from.pid, caller.pid);
  assert.deepEqual(Object.keys(from).sort(), ['pid', 'ref'], 'plain data, so that it can cross threads');
  assert.deepEqual(Object.keys(structuredClone({ ...from, pid: 0 })).sort(), ['pid', 'ref']);
  other.ctx.replyTo(from, 'done');
  other.ctx.replyTo(from, 'twice');
  assert.equal(await answer, 'done');
  assert.equal(await caller.ctx.call(server.pid, 'echo', 1), 1, 'the server went on meanwhile');
});

test('stopReply: the reply is sent after terminate has returned, and the server exits with the reason', async (t) => {
  const system = await startTestSystem(t);
  const order: string[] = [];
  const server = await startServer(system, async () => {
    order.push('terminate begins');
    await settle(2);
    order.push('terminate ends');
  });
  const { reasons } = await watch(system, server.pid);
  assert.equal(await system.system.call(server.pid, 'stopReply', { reason: { shutdown: 'x' } }), 'bye');
  order.push('reply');
  await settle();
  assert.deepEqual(order, ['terminate begins', 'terminate ends', 'reply']);
  assert.deepEqual(reasons, [{ shutdown: 'x' }]);
});

test('stop in a call: the server exits without a reply, and the call fails with the reason', async (t) => {
  const system = await startTestSystem(t);
  for (const reason of ['normal', 'shutdown', { shutdown: 'x' }, 'boom', 'killed']) {
    const server = await startServer(system);
    await assert.rejects(system.system.call(server.pid, 'stop', { reason }), (error: CallError) => {
      assert.ok(error instanceof CallError);
      assert.equal(error.code, 'ERR_CALL_EXIT');
      assert.deepEqual(error.reason, reason);
      return true;
    });
  }
});

test('a call that gets no reply in 5,000 ms fails with timeout; the server goes on', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const caller = await openProcess(system);
  const outcomes: unknown[] = [];
  void caller.ctx.call(server.pid, 'later').catch((error: CallError) => outcomes.push(error));
  await system.clock.advance(4_999);
  assert.equal(outcomes.length, 0);
  await system.clock.advance(1);
  const [outcome] = outcomes;
  assert.ok(outcome instanceof CallError);
  const { code, reason, dest, tag } = outcome;
  assert.deepEqual(
    { code, reason, dest, tag },
    { code: 'ERR_CALL_TIMEOUT', reason: 'timeout', dest: String(server.pid), tag: 'later' },
  );
  assert.equal(system.system.isAlive(server.pid), true);
});

test('a long mailbox of the caller does not stand in the way of a reply, nor is it touched', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const caller = await openProcess(system);
  const tags = Array.from({ length: 10_000 }, (_, i) => `m${i}`);
  for (const tag of tags) caller.ctx.send(caller.pid, tag);
  for (let i = 0; i < 100; i++) assert.equal(await caller.ctx.call(server.pid, 'echo', i), i);
  assert.deepEqual(await tagsOf(caller), tags);
});

test('a late reply goes nowhere: not to the mailbox of the caller, not to its next call', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const caller = await openProcess(system);
  const late = caller.ctx.call(server.pid, 'later', undefined, { timeoutMs: 100 });
  const rejected = assert.rejects(late, { code: 'ERR_CALL_TIMEOUT' });
  await system.clock.advance(100);
  await rejected;
  const next = caller.ctx.call(server.pid, 'later', undefined, { timeoutMs: 'infinity' });
  await settle();
  const [first, second] = server.later;
  caller.ctx.replyTo(first ?? assert.fail(), 'late');
  await settle();
  assert.deepEqual(await mailboxOf(caller), []);
  caller.ctx.replyTo(second ?? assert.fail(), 'in time');
  assert.equal(await next, 'in time');
});

test('a reply that a slow handler gives after the time goes nowhere either', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const caller = await openProcess(system);
  let finish: (value: string) => void = () => {};
  const slow = new Promise<unknown>((resolve) => {
    finish = resolve;
  });
  const rejected = assert.rejects(caller.ctx.call(server.pid, 'slow', slow), { code: 'ERR_CALL_TIMEOUT' });
  await system.clock.advance(5_000);
  await rejected;
  finish('late');
  assert.equal(await caller.ctx.call(server.pid, 'echo', 'next'), 'next');
  assert.deepEqual(await mailboxOf(caller), []);
});

test('a call without a limit waits on', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const waiting = system.system.call(server.pid, 'later', undefined, { timeoutMs: 'infinity' });
  await system.clock.advance(10_000_000);
  system.opener.replyTo(server.later[0] ?? assert.fail(), 'at last');
  assert.equal(await waiting, 'at last');
});

test('the server dies during a call: the call fails with its exit reason, whatever that is', async (t) => {
  const system = await startTestSystem(t);
  for (const reason of ['normal', 'shutdown', 'kill', 'boom', { any: 'term' }]) {
    const server = await startServer(system);
    const handling = system.system.call(server.pid, 'slow', new Promise(() => {}));
    const queued = system.system.call(server.pid, 'echo', 1);
    const both = Promise.allSettled([handling, queued]);
    await settle();
    if (reason === 'normal') {
      system.system.exitProcess(server.pid, reason);
      await settle();
      assert.equal(system.system.isAlive(server.pid), true, 'normal from another process ends nobody');
      system.system.exitProcess(server.pid, 'kill');
    } else {
      system.system.exitProcess(server.pid, reason);
    }
    const expected = reason === 'kill' || reason === 'normal' ? 'killed' : reason;
    for (const result of await both) {
      assert.equal(result.status, 'rejected');
      assert.equal(result.reason.code, 'ERR_CALL_EXIT');
      assert.deepEqual(result.reason.reason, expected);
    }
  }
});

test('a call that was left open with noreply fails when the server exits', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const open = system.system.call(server.pid, 'later', undefined, { timeoutMs: 'infinity' });
  const rejected = assert.rejects(open, { code: 'ERR_CALL_EXIT', reason: 'boom' });
  await settle();
  system.system.exitProcess(server.pid, 'boom');
  await rejected;
});

test('a call to oneself fails with calling_self', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const failed = (step: Step): Promise<unknown> => system.system.call(server.pid, 'run', step);
  const code = await failed((ctx) => ctx.call(ctx.self, 'x').catch((error: CallError) => error.code));
  const byName = await failed((ctx) => ctx.call(name<any>('server'), 'x').catch((error: CallError) => error.reason));
  assert.deepEqual([code, byName], ['ERR_CALL_SELF', 'calling_self']);
});

test('a failed call can be caught; uncaught it ends the caller with the reason and the call', async (t) => {
  const system = await startTestSystem(t);
  const watcher = await openProcess(system);
  const nobody = name<any>('nobody');
  const log: unknown[] = [];
  watcher.ctx.spawnMonitor(async (_arg, ctx) => {
    await ctx.call(nobody, 'x').catch(() => log.push('caught'));
    log.push('went on');
  }, undefined);
  watcher.ctx.spawnMonitor((_arg, ctx) => ctx.call(nobody, 'x'), undefined);
  await settle();
  const reasons = await reasonsOf(watcher);
  const expected: CallExit = { reason: 'noproc', call: { dest: 'nobody', tag: 'x' } };
  assert.deepEqual(log, ['caught', 'went on']);
  assert.deepEqual(reasons.sort(), [expected, 'normal'].sort());
});

test('an uncaught timeout of a call ends the caller with { reason: timeout, call }', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const watcher = await openProcess(system);
  watcher.ctx.spawnMonitor((_arg, ctx) => ctx.call(server.pid, 'later'), undefined);
  await system.clock.advance(5_000);
  const [reason] = await reasonsOf(watcher);
  assert.deepEqual(reason, {
    reason: 'timeout',
    call: { dest: String(server.pid), tag: 'later' },
  });
});

test('calls and casts of one client are handled in the order in which they were made', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startServer(system);
  const client = await openProcess(system);
  const calls: Promise<unknown>[] = [];
  for (let i = 0; i < 30; i++) {
    if (i % 3 === 0) calls.push(client.ctx.call(pid, 'echo', i));
    else client.ctx.cast(pid, 'note', i);
  }
  await Promise.all(calls);
  await settle();
  assert.deepEqual(
    log,
    Array.from({ length: 30 }, (_, i) => i),
  );
});

test('one message at a time: the next one waits until the promise of a handler has settled', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startServer(system);
  const slow =
    (label: string): Step =>
    async () => {
      log.push(`${label} begins`);
      await settle(2);
      log.push(`${label} ends`);
    };
  system.system.cast(pid, 'run', slow('a'));
  system.system.cast(pid, 'run', slow('b'));
  await system.system.call(pid, 'echo', 'c');
  assert.deepEqual(log, ['a begins', 'a ends', 'b begins', 'b ends', 'c']);
});

test('a handler that never settles blocks its own process only', async (t) => {
  const system = await startTestSystem(t);
  const { pid, log } = await startServer(system);
  const other = await openProcess(system, { name: 'other' });
  system.system.cast(pid, 'run', () => new Promise(() => {}));
  system.system.cast(pid, 'note', 'never handled');
  await system.clock.advance(1_000_000);
  assert.deepEqual(log, []);
  assert.equal(system.system.isAlive(pid), true);
  other.ctx.send(other.pid, 'm');
  assert.deepEqual(await tagsOf(other), ['m']);
});

test('while a handler awaits, its server is never entered again, though other processes run', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startServer(system);
  const other = await openProcess(system);
  let inside = 0;
  let most = 0;
  let others = 0;
  const step: Step = async () => {
    inside++;
    most = Math.max(most, inside);
    other.ctx.send(other.pid, 'm');
    await settle(1);
    others += (await tagsOf(other)).length;
    inside--;
  };
  for (let i = 0; i < 5; i++) system.system.cast(pid, 'run', step);
  await system.system.call(pid, 'echo', 1);
  assert.equal(most, 1);
  assert.equal(others, 5);
});

test('a reply reaches no caller that has died, and a pending call of a dead process never settles', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  for (const outcome of ['reply', 'timeout', 'server exits'] as const) {
    const caller = await openProcess(system);
    const settled: unknown[] = [];
    const note = (value: unknown): void => {
      settled.push(value);
    };
    void caller.ctx.call(server.pid, 'later').then(note, note);
    await settle();
    system.system.exitProcess(caller.pid, 'kill');
    await settle();
    if (outcome === 'reply') system.opener.replyTo(server.later.at(-1) ?? assert.fail(), 'late');
    if (outcome === 'timeout') await system.clock.advance(10_000);
    if (outcome === 'server exits') system.system.exitProcess(server.pid, 'kill');
    await settle();
    assert.deepEqual(settled, [], outcome);
  }
});

test('a call that the owner of the system has open fails when the system stops', async (t) => {
  const system = await startTestSystem(t);
  const server = await startServer(system);
  const open = system.system.call(server.pid, 'later', undefined, { timeoutMs: 'infinity' });
  const rejected = assert.rejects(open, { code: 'ERR_CALL_EXIT' });
  await settle();
  await system.system.stop();
  await rejected;
});

test('from exists only while a call is handled', async (t) => {
  const system = await startTestSystem(t);
  const { pid } = await startServer(system);
  let error: unknown;
  system.system.cast(pid, 'run', (ctx) => {
    try {
      (ctx as unknown as { from: From }).from;
    } catch (thrown) {
      error = thrown;
    }
  });
  await settle();
  assert.match(String(error), /only while handleCall runs/);
});
