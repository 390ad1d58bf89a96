import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BadArgError,
  type Context,
  type CrashReport,
  channels,
  type GenServer,
  genServer,
  isErrorExit,
  noreply,
  TaskError,
  type TaskExit,
  task,
} from '../../runtime/index.ts';
import { deepFreeze, settle } from '../../runtime/testing.ts';
import { eventsOf } from '../support/supervision-trace.ts';
import { gate, runAs } from '../support/task-owner.ts';
import { mailboxOf, type OpenProcess, openProcess, startTestSystem, tagsOf, watch } from '../support/test-system.ts';

const never = (): Promise<never> => new Promise(() => {});

function boom(): never {
  throw new Error('boom');
}

function isTaskError(code: TaskError['code'], reason?: unknown): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.code, code);
    if (reason !== undefined) assert.deepEqual(error.reason, reason);
    return true;
  };
}

test('a task runs its function with its argument and a context of its own, and await brings the result', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const add = async (by: number, ctx: Context): Promise<[number, boolean]> => {
    await settle(1);
    return [by + 1, ctx.self !== owner.pid && ctx.parent === owner.pid];
  };
  const started = task.async(owner.ctx, add, 41);
  assert.equal(system.system.isAlive(started.pid), true);
  assert.deepEqual(await task.await(owner.ctx, started), [42, true]);
  assert.equal(
    await task.await(
      owner.ctx,
      task.async(owner.ctx, () => 'sync'),
    ),
    'sync',
  );
  assert.deepEqual(await mailboxOf(owner), [], 'neither the result nor DOWN is left');
  assert.equal(system.system.isAlive(started.pid), false);
});

test('async returns before the function runs', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const log: string[] = [];
  const started = task.async(owner.ctx, () => log.push('ran'));
  log.push('started');
  await task.await(owner.ctx, started);
  assert.deepEqual(log, ['started', 'ran']);
});

test('a task that is killed before its first step is DOWN all the same', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system, { trapExit: true });
  const started = task.async(owner.ctx, () => 1);
  owner.ctx.exitProcess(started.pid, 'kill');
  assert.deepEqual(await task.yield(owner.ctx, started), { exit: 'killed' });
});

test('a task that fails ends its owner through the link', async (t) => {
  const system = await startTestSystem(t);
  const reports = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  const outcome = await runAs(system, async (ctx) => task.await(ctx, task.async(ctx, boom)));
  assert.ok('exited' in outcome && isErrorExit(outcome.exited));
  assert.equal((outcome.exited.error as Error).message, 'boom');
  assert.deepEqual(
    reports.map(({ label }) => label),
    ['boom'],
    'the task is reported, under the name of its function',
  );
});

test('an owner that traps exits gets the failure of its task as TaskError, and lives', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system, { trapExit: true });
  const failed = task.async(owner.ctx, boom);
  await assert.rejects(task.await(owner.ctx, failed), (error) => {
    assert.ok(error instanceof TaskError && error.code === 'ERR_TASK_EXIT' && isErrorExit(error.reason));
    assert.deepEqual([error.pid, error.run], [failed.pid.toString(), 'boom']);
    return true;
  });
  assert.deepEqual(await tagsOf(owner), ['EXIT'], 'the exit signal of the link, as in Elixir');
});

test('a TaskError that nobody catches ends the process with the reason and the task', async (t) => {
  const system = await startTestSystem(t);
  let pid = '';
  const outcome = await runAs(system, async (ctx) => {
    const quits = task.async(ctx, function quits(_none, own) {
      own.exit('normal');
    });
    pid = quits.pid.toString();
    await task.await(ctx, quits);
  });
  assert.deepEqual(outcome, { exited: { reason: 'normal', task: { pid, run: 'quits' } } satisfies TaskExit });
});

test('await that takes too long: TaskError timeout; the task goes on, and its result is dropped', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const slow = gate();
  const started = task.async(owner.ctx, slow.run, 'a');
  const rejected = assert.rejects(task.await(owner.ctx, started), isTaskError('ERR_TASK_TIMEOUT', 'timeout'));
  await system.clock.advance(4_999);
  assert.deepEqual(await Promise.race([rejected, 'waiting']), 'waiting');
  await system.clock.advance(1);
  await rejected;
  assert.equal(system.system.isAlive(started.pid), true);
  await slow.open('a', 'late');
  assert.equal(system.system.isAlive(started.pid), false);
  assert.deepEqual(await mailboxOf(owner), [], 'neither a late result nor DOWN');
});

test('await that takes too long and is not caught ends the owner, and its linked task with it', async (t) => {
  const system = await startTestSystem(t);
  const slow = gate();
  let pid = '';
  const outcome = runAs(system, async (ctx) => {
    const started = task.async(ctx, slow.run, 'a');
    pid = started.pid.toString();
    await task.await(ctx, started, { timeoutMs: 10 });
  });
  await system.clock.advance(10);
  const reason = { reason: 'timeout', task: { pid, run: 'run' } };
  assert.deepEqual(await outcome, { exited: reason });
  assert.deepEqual(slow.entered[0]?.signal.reason, reason, 'the link has ended the task with the same reason');
});

test('the owner of a task that ends takes the task along', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const started = task.async(owner.ctx, never);
  const { reasons } = await watch(system, started.pid);
  system.system.exitProcess(owner.pid, 'gone');
  await settle();
  assert.deepEqual(reasons, ['gone']);
});

test('only the owner may wait for a task, and for its outcome once', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const other = await openProcess(system);
  const started = task.async(owner.ctx, () => 1);
  for (const wait of [task.await, task.yield, task.shutdown, task.ignore]) {
    await assert.rejects(
      wait(other.ctx, started),
      (error) => error instanceof BadArgError && /belongs to/.test(`${error}`),
    );
  }
  await assert.rejects(task.awaitMany(other.ctx, [started]), BadArgError);
  await assert.rejects(task.yieldMany(other.ctx, [started]), BadArgError);
  await assert.rejects(task.await(owner.ctx, {} as never), /not a task/);
  assert.equal(await task.await(owner.ctx, started), 1);
  for (const wait of [task.await, task.yield, task.shutdown, task.ignore]) {
    await assert.rejects(wait(owner.ctx, started), /was taken already/);
  }
});

test('a result comes as a message: a server handles it, and DOWN after it', async (t) => {
  type Protocol = { readonly cast: { readonly begin: void } };
  const seen: unknown[] = [];
  const Server: GenServer<Protocol> = genServer(import.meta, 'Server', {
    init: () => undefined,
    handleCast: {
      begin: (state, _none, ctx) => {
        seen.push(task.async(ctx, () => 'result').ref);
        return noreply(state);
      },
    },
    handleInfo: {
      task: (state, { ref, result }) => {
        seen.push([ref, result]);
        return noreply(state);
      },
      DOWN: (state, { ref, reason }) => {
        seen.push([ref, reason]);
        return noreply(state);
      },
    },
  });
  const { system, opener } = await startTestSystem(t);
  const started = await opener.start(Server, undefined);
  assert.ok(started !== 'ignore' && 'ok' in started);
  system.cast(started.ok, 'begin');
  await settle();
  const ref = seen[0];
  assert.deepEqual(seen, [ref, [ref, 'result'], [ref, 'normal']]);
});

test('a message of user code with the tag task is no result', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const started = task.async(owner.ctx, never);
  owner.ctx.send(owner.pid, 'task', { ref: started.ref, result: 'forged' });
  assert.equal(await task.yield(owner.ctx, started, { timeoutMs: 0 }), null);
  assert.deepEqual(await tagsOf(owner), ['task']);
});

test('the result belongs to its receiver: the test kit freezes it', async (t) => {
  const system = await startTestSystem(t, { onSend: deepFreeze });
  const owner = await openProcess(system);
  const result = { list: [1] };
  assert.equal(
    await task.await(
      owner.ctx,
      task.async(owner.ctx, () => result),
    ),
    result,
  );
  assert.ok(Object.isFrozen(result) && Object.isFrozen(result.list));
});

test('a task that ends itself has no result', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system, { trapExit: true });
  const started = task.async(owner.ctx, (_none, ctx) => {
    assert.throws(() => ctx.exitProcess(ctx.self, 'kill'));
    return 'result';
  });
  assert.deepEqual(await task.yield(owner.ctx, started), { exit: 'killed' });
});

test('what is no function is no task', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  assert.throws(() => task.async(owner.ctx, 'run' as never), { code: 'ERR_BADARG' });
});

test('yield: the outcome, or null when the time is over, and then again', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system, { trapExit: true });
  const slow = gate();
  const started = task.async(owner.ctx, slow.run, 'a');
  const first = task.yield(owner.ctx, started, { timeoutMs: 10 });
  await system.clock.advance(10);
  assert.equal(await first, null);
  const second = task.yield(owner.ctx, started);
  await slow.open('a', 'result');
  assert.deepEqual(await second, { ok: 'result' });
  const fails = task.async(owner.ctx, (_none, ctx) => ctx.exit('oops'));
  assert.deepEqual(await task.yield(owner.ctx, fails), { exit: 'oops' });
});

test('awaitMany: the results in the order of the tasks, whatever the order in which they end', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const slow = gate<string>();
  const tasks = ['a', 'b', 'c'].map((each) => task.async(owner.ctx, slow.run, each));
  const all = task.awaitMany(owner.ctx, tasks);
  for (const each of ['c', 'a', 'b']) await slow.open(each, `${each}!`);
  assert.deepEqual(await all, ['a!', 'b!', 'c!']);
  assert.deepEqual(await task.awaitMany(owner.ctx, []), []);
  assert.deepEqual(await mailboxOf(owner), []);
});

test('awaitMany rejects at the first failure, or when its one time is over, and drops the other results', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system, { trapExit: true });
  const slow = gate();
  const start = (): ReturnType<typeof task.async>[] => ['a', 'b'].map((each) => task.async(owner.ctx, slow.run, each));
  const failing = assert.rejects(task.awaitMany(owner.ctx, start()), (error) => error instanceof TaskError);
  await slow.fail('b', new Error('boom'));
  await failing;
  await slow.open('a', 'late');
  const late = assert.rejects(
    task.awaitMany(owner.ctx, start(), { timeoutMs: 100 }),
    isTaskError('ERR_TASK_TIMEOUT', 'timeout'),
  );
  await system.clock.advance(60);
  await slow.open('a', 1);
  await system.clock.advance(40);
  await late;
  await slow.open('b', 'late');
  assert.deepEqual([...new Set(await tagsOf(owner))], ['EXIT']);
});

test('yieldMany: the outcomes when the time is over; the other tasks go on, are let go or killed', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system, { trapExit: true });
  for (const [onTimeout, lives, owned] of [
    ['nothing', true, true],
    ['ignore', true, false],
    ['kill_task', false, false],
  ] as const) {
    const slow = gate();
    const tasks = ['a', 'b', 'c'].map((each) => task.async(owner.ctx, slow.run, each));
    const rows = task.yieldMany(owner.ctx, tasks, { timeoutMs: 10, onTimeout });
    await slow.open('b', 'result');
    await slow.fail('c', 'oops');
    await system.clock.advance(10);
    const [first, second, third] = await rows;
    assert.deepEqual([first, second], [null, { ok: 'result' }]);
    assert.ok(third !== null && third !== undefined && 'exit' in third);
    const [slowest] = tasks as [(typeof tasks)[0]];
    assert.equal(system.system.isAlive(slowest.pid), lives, onTimeout);
    if (owned) assert.equal(await task.shutdown(owner.ctx, slowest), null);
    else await assert.rejects(task.yield(owner.ctx, slowest), /was taken already/);
  }
});

test('yieldMany with a limit waits for no more outcomes than that', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const slow = gate();
  const tasks = ['a', 'b', 'c'].map((each) => task.async(owner.ctx, slow.run, each));
  const rows = task.yieldMany(owner.ctx, tasks, { limit: 1, onTimeout: 'kill_task' });
  await slow.open('b', 1);
  assert.deepEqual(await rows, [null, { ok: 1 }, null]);
  assert.equal(system.system.isAlive(tasks[0]!.pid), true, 'the time was not over');
  for (const limit of [0, 1.5])
    await assert.rejects(task.yieldMany(owner.ctx, tasks, { limit }), { code: 'ERR_BADARG' });
});

test('shutdown stops a task and does not end its owner; the outcome it had already is kept', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const stop = async (how?: number | 'brutal_kill'): Promise<unknown> =>
    task.shutdown(owner.ctx, task.async(owner.ctx, never), how);
  assert.equal(await stop(), null);
  assert.equal(await stop('brutal_kill'), null);
  const done = task.async(owner.ctx, () => 'result');
  await settle();
  assert.deepEqual(await task.shutdown(owner.ctx, done), { ok: 'result' });
  assert.deepEqual(await mailboxOf(owner), []);
});

test('shutdown waits for a task that traps exits, and kills it after its time', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const trap = async (answer: boolean, ctx: Context): Promise<string> => {
    ctx.trapExit(true);
    await ctx.receive(({ tag }) => tag === 'EXIT', 'infinity');
    return answer ? 'last words' : never();
  };
  const polite = task.async(owner.ctx, trap, true);
  await settle();
  assert.deepEqual(await task.shutdown(owner.ctx, polite), { ok: 'last words' });
  const stubborn = task.async(owner.ctx, trap, false);
  await settle();
  const ended = task.shutdown(owner.ctx, stubborn, 100);
  await system.clock.advance(99);
  assert.equal(system.system.isAlive(stubborn.pid), true);
  await system.clock.advance(1);
  assert.deepEqual(await ended, { exit: 'killed' });
});

test('shutdown of a task that had ended: null if it was by shutdown, else its exit', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system, { trapExit: true });
  for (const [reason, expected] of [
    ['shutdown', null],
    ['oops', { exit: 'oops' }],
  ] as const) {
    const ended = task.async(owner.ctx, (_none, ctx) => ctx.exit(reason));
    await settle();
    assert.deepEqual(await task.shutdown(owner.ctx, ended), expected);
  }
});

test('ignore unlinks a task and lets it run on; the outcome it had already is kept', async (t) => {
  const system = await startTestSystem(t);
  const owner: OpenProcess = await openProcess(system);
  const slow = gate();
  const started = task.async(owner.ctx, slow.run, 'a');
  assert.equal(await task.ignore(owner.ctx, started), null);
  await slow.fail('a', new Error('nobody cares'));
  assert.equal(system.system.isAlive(owner.pid), true);
  assert.deepEqual(await mailboxOf(owner), []);
  const done = task.async(owner.ctx, () => 'result');
  await settle();
  assert.deepEqual(await task.ignore(owner.ctx, done), { ok: 'result' });
});

test('a task below a supervisor is temporary, unless it is told to be restarted', async (t) => {
  const runs: string[] = [];
  const once = (arg: string): void => void runs.push(arg);
  function failing(arg: string): never {
    runs.push(arg);
    throw new Error('boom');
  }
  const spec = task.child(once, 'once');
  assert.deepEqual([spec.id, spec.restart], ['once', 'temporary']);
  const { system } = await startTestSystem(t, {
    intensity: 1,
    children: [spec, task.child(failing, 'again', { restart: 'transient', id: 'x' })],
  });
  assert.deepEqual((await system.terminated) as string, 'shutdown');
  assert.deepEqual(runs, ['once', 'again', 'again']);
});
