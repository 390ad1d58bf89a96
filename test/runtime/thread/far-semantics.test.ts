/** What a process may expect of one on another thread: the same as of one beside it, or a clear error. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CallError, type Pid, type StartOptions, type System, stopServer, sys } from '../../../runtime/index.ts';
import { Scripted, type ScriptProtocol, type Step } from '../../support/far-scripts.ts';
import { startProbe, startThreads, threadExits, until } from '../../support/thread-system.ts';

type Script = Pid<ScriptProtocol>;
const two = { threads: { a: { count: 1, spare: false }, b: { count: 1, spare: false } } };

async function scripted(system: System, options: StartOptions): Promise<Script> {
  const started = await system.start(Scripted, undefined, options);
  if (started === 'ignore' || 'error' in started) throw new Error(`not started: ${JSON.stringify(started)}`);
  return started.ok as Script;
}

function run(system: System, pid: Script, script: any, arg?: unknown): Promise<any> {
  return system.call(pid, 'run', { script, arg }, { timeoutMs: 20_000 });
}

/** What a server was told to count, when that many have come. */
function numbersOf(system: System, pid: Script, count: number): Promise<readonly number[]> {
  return until(async () => {
    try {
      const numbers = await system.call(pid, 'numbers', undefined, { timeoutMs: 20_000 });
      return numbers.length === count ? numbers : undefined;
    } catch (error) {
      if ((error as { code: string }).code !== 'ERR_CHANNEL_FULL') throw error;
      return undefined;
    }
  });
}

test('messages, links, unlinks and the exit of a process reach another thread in their order', async (t) => {
  const system = await startThreads(t, two);
  const step = fc.oneof(
    fc.record({ does: fc.constantFrom('cast' as const, 'send' as const), n: fc.nat() }),
    fc.record({ does: fc.constantFrom('link' as const, 'unlink' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps: Step[]) => {
      const receiver = await scripted(system, { thread: 'b' });
      const sender = await scripted(system, { thread: 'a' });
      const reason = { shutdown: 'over' };
      system.cast(sender, 'run', { script: 'steps', arg: { to: receiver, steps, reason } });
      await until(() => (system.isAlive(sender) ? undefined : true));
      const expected = steps.flatMap((each) =>
        'n' in each ? [{ tag: each.does === 'cast' ? 'count' : 'note', payload: each.n }] : [],
      );
      const last = steps.findLast(({ does }) => does === 'link' || does === 'unlink');
      const all = last?.does === 'link' ? [...expected, { tag: 'EXIT', payload: reason }] : expected;
      const heard = await until(async () => {
        const now = await system.call(receiver, 'heard');
        return now.length >= all.length ? now : undefined;
      });
      assert.deepEqual(heard, all);
      system.exitProcess(receiver, 'kill');
    }),
    { numRuns: 25 },
  );
});

test('processes that flood each other over threads wait for each other, and none is lost', async (t) => {
  const system = await startThreads(t, two);
  const [a, b] = [await scripted(system, { thread: 'a' }), await scripted(system, { thread: 'b' })];
  const payload = 'x'.repeat(2_000);
  const flood = (from: Script, to: Script): Promise<unknown> =>
    run(system, from, 'flood', { to, count: 3_000, payload });
  for (let round = 0; round < 2; round++) await Promise.all([flood(a, b), flood(b, a)]);
  for (const pid of [a, b]) {
    const numbers = await numbersOf(system, pid, 6_000);
    assert.ok(
      numbers.every((n, i) => n === i % 3_000),
      `${pid} has all in their order`,
    );
  }
});

test('past the bound of a channel a send throws, and all that did not throw arrives', async (t) => {
  const system = await startThreads(t, two);
  const pid = await scripted(system, { thread: 'a' });
  const payload = 'y'.repeat(1_000_000);
  let sent = 0;
  assert.throws(
    () => {
      for (; sent < 200; sent++) system.cast(pid, 'count', { n: sent, payload });
    },
    { code: 'ERR_CHANNEL_FULL' },
  );
  assert.ok(sent > 10 && sent < 200, `${sent} were sent`);
  const numbers = await numbersOf(system, pid, sent);
  assert.ok(
    numbers.every((n, i) => n === i),
    'none of those is lost',
  );
});

test('the bound of a mailbox holds for senders of other threads', async (t) => {
  const system = await startThreads(t, two);
  const pid = await scripted(system, { thread: 'a', mailboxMax: 2, mailboxPolicy: 'reject' });
  await sys.suspend(system, pid);
  const calls = Array.from({ length: 4 }, () => system.call(pid, 'heard').catch((error: CallError) => error.code));
  await until(async () => ((await Promise.race([calls[3], Promise.resolve('')])) !== '' ? true : undefined));
  await sys.resume(system, pid);
  const outcomes = await Promise.all(calls);
  assert.deepEqual(outcomes.slice(2), ['ERR_CALL_OVERLOAD', 'ERR_CALL_OVERLOAD']);
  assert.deepEqual(outcomes.slice(0, 2), [[], []]);
});

test('aliases, requests, timers and intervals reach processes of other threads', async (t) => {
  const system = await startThreads(t, two);
  const [a, b] = [await scripted(system, { thread: 'a' }), await scripted(system, { thread: 'b', name: 'b' })];
  const alias = await run(system, a, 'alias', { reply: true });
  for (const n of [1, 2]) await run(system, b, 'late', { to: alias, delayMs: n });
  for (const to of [a, b, 'b']) {
    const from = to === a ? b : a;
    await run(system, from, 'late', { to, delayMs: 1 });
  }
  const echo = await startProbe(system, { thread: 'b' });
  assert.deepEqual(await run(system, a, 'request', echo), { reply: 'asked' });
  const count = async (pid: Script): Promise<number> => (await system.call(pid, 'heard')).length;
  await until(async () => ((await count(a)) >= 2 && (await count(b)) >= 2 ? true : undefined));
  assert.equal(await count(a), 2, 'one through the alias, which it used up, and one to the pid');
  const interval = await run(system, b, 'every', a);
  await until(async () => ((await count(a)) >= 5 ? true : undefined));
  system.exitProcess(a, 'kill');
  await until(async () => ((await run(system, b, 'read', interval)) === false ? true : undefined));
});

test('sys and stopServer reach a server on another thread', async (t) => {
  const system = await startThreads(t, two);
  const pid = await scripted(system, { thread: 'a' });
  system.send(pid, 'note', 1);
  assert.deepEqual(await sys.getState(system, pid), [{ tag: 'note', payload: 1 }]);
  await sys.statistics(system, pid, true);
  await sys.suspend(system, pid);
  system.send(pid, 'note', 2);
  assert.equal((await sys.getState(system, pid)).length, 1);
  await sys.resume(system, pid);
  assert.equal((await sys.getState(system, pid)).length, 2);
  await assert.rejects(
    sys.replaceState(system, pid, () => []),
    { name: 'NotTransferableError', message: /is a function/ },
  );
  await stopServer(system, pid, { shutdown: 'asked' });
  assert.equal(system.isAlive(pid), false);
  const other = await scripted(system, { thread: 'a' });
  await sys.terminate(system, other, 'normal');
  await until(() => (system.isAlive(other) ? undefined : true));
});

test('names and monitors by name work from thread to thread', async (t) => {
  const system = await startThreads(t, two);
  const [a, b] = [await scripted(system, { thread: 'a' }), await scripted(system, { thread: 'b', name: 'it' })];
  await run(system, a, 'monitor', 'it');
  assert.match(await run(system, a, 'register', 'n'.repeat(256)), /^BadArgError: a name has at most 255 characters/);
  await run(system, a, 'unregister', 'it');
  assert.equal(system.whereis('it'), undefined);
  assert.match(await run(system, a, 'unregister', 'it'), /^BadArgError: no process has the name/);
  await run(system, a, 'register', 'it');
  assert.equal(system.whereis('it'), a);
  system.exitProcess(b, 'kill');
  const heard = await until(async () => {
    const now = await system.call(a, 'heard');
    return now.length > 0 ? now : undefined;
  });
  assert.deepEqual(heard, [{ tag: 'DOWN', payload: { object: 'it', reason: 'killed' } }]);
});

test('what a thread cannot tell of another one it refuses, and says where to ask', async (t) => {
  const system = await startThreads(t, two);
  const [a, b] = [await scripted(system, { thread: 'a' }), await scripted(system, { thread: 'b' })];
  assert.throws(() => system.processInfo(a), { code: 'ERR_BADARG', message: /is on another thread: ask .* there/ });
  assert.match(await run(system, b, 'info', a), /^BadArgError: .* on another thread/);
  assert.equal((await run(system, a, 'info', a)).pid, a);
  system.exitProcess(b, 'kill');
  await until(() => (system.isAlive(b) ? undefined : true));
  assert.equal(system.processInfo(b), undefined);
  assert.equal(await run(system, a, 'newTable', 'rows'), 'made');
  assert.equal(await run(system, a, 'table', 'rows'), 'found');
  const other = await scripted(system, { thread: 'b' });
  assert.equal(await run(system, other, 'table', 'rows'), undefined, 'a table is of its thread');
});

test('a throw in a timer of an attributed process, and a handler that hangs, cost no thread', async (t) => {
  const system = await startThreads(t, two);
  const exits = threadExits(t, system);
  const neighbour = await scripted(system, { thread: 'a' });
  const attributed = await scripted(system, { thread: 'a', attribute: true });
  await run(system, attributed, 'throwLater');
  await until(() => (system.isAlive(attributed) ? undefined : true));
  const limited = await scripted(system, { thread: 'a', handlerTimeoutMs: 50 });
  await assert.rejects(run(system, limited, 'hang'), (error: CallError) => {
    assert.deepEqual(error.reason, { handler_timeout: 'run' });
    return true;
  });
  assert.equal(await run(system, neighbour, 'storage', await startProbe(system, { thread: 'b' })), 42);
  assert.equal(await run(system, neighbour, 'stdin'), null);
  const { title } = process;
  await run(system, neighbour, 'title');
  assert.equal(process.title, title);
  assert.deepEqual(exits, []);
});
