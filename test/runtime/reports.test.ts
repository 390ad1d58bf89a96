import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  type Context,
  type CrashReport,
  channels,
  child,
  type GenServer,
  genServer,
  name,
  noreply,
  type Pid,
  type ProcessExitEvent,
  type ProcessStart,
  type ProgressReport,
  type RestartType,
  startChild,
  supervisor,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { runProgram } from '../support/child-program.ts';
import { eventsOf, onEvent, PlannedWorker, startUnderRoot } from '../support/supervision-trace.ts';
import { openProcess, startTestSystem, type TestSystem } from '../support/test-system.ts';
import { startTracedSystem, sup } from '../support/traced-supervisor.ts';

test('a supervisor reports child_terminated, start_error and shutdown in the order of the events', async (t) => {
  const { system, trace } = await startTracedSystem(t);
  await startUnderRoot(
    { system },
    supervisor('sup', { name: 'sup', intensity: 1, restart: 'temporary' }, [
      trace.worker('a', { plan: ['ok', { stop: 'no' }] }),
    ]),
  );
  trace.take();
  system.cast(name<any>('a'), 'stop', 'boom');
  await settle();
  assert.deepEqual(
    trace.take().filter((line) => line.startsWith('report')),
    ['report child_terminated a boom', 'report start_error a no', 'report shutdown a reached_max_restart_intensity'],
  );
});

test('a report names the supervisor, what happened, why, and the specification of the child', async (t) => {
  const { system, trace } = await startTracedSystem(t);
  await startUnderRoot({ system }, supervisor('sup', { name: 'registered' }, [trace.worker('a', { shutdown: 7 })]));
  await startUnderRoot({ system }, supervisor('plain', {}, [trace.worker('b', { restart: 'transient' })]));
  const before = system.whereis(name('a')) as Pid;
  system.cast(name<any>('a'), 'stop', 'boom');
  system.cast(name<any>('b'), 'stop', 'bang');
  await settle();
  const start = { module: PlannedWorker.module, exportName: 'PlannedWorker' };
  const [first, second] = trace.reports;
  assert.deepEqual(first, {
    system: system.name,
    pid: system.whereis(name('registered')),
    supervisor: 'registered',
    errorContext: 'child_terminated',
    reason: 'boom',
    offender: { id: 'a', pid: before, label: 'a#1', start, restart: 'permanent', shutdown: 7, type: 'worker' },
  });
  assert.equal(second?.supervisor, 'plain', 'without a name it is called by its id');
  assert.equal(second?.offender.restart, 'transient');
});

test('a progress report follows each good start of a child', async (t) => {
  const { system, trace } = await startTracedSystem(t);
  const progress = eventsOf<ProgressReport>(t, channels.progressReport, system.name);
  await startUnderRoot(
    { system },
    supervisor('sup', { name: 'sup' }, [trace.worker('a'), trace.worker('b', { plan: ['ignore'] })]),
  );
  assert.deepEqual(
    progress.map(({ supervisor: by, started }) => [by, started.id]),
    [
      ['sup', 'a'],
      ['root', 'sup'],
    ],
  );
  assert.equal(progress[0]?.started.pid, system.whereis(name('a')));
  assert.equal(progress[0]?.pid, system.whereis(sup));
  system.cast(name<any>('a'), 'stop', 'boom');
  await settle();
  await startChild(system, sup, trace.worker('c'));
  assert.deepEqual(trace.progress, ['a', 'sup', 'a', 'c']);
});

test('child_terminated is silent for children that are not permanent and end normal or shutdown', async (t) => {
  const { system, trace } = await startTracedSystem(t);
  await startUnderRoot({ system }, supervisor('sup', { name: 'sup', intensity: 1_000 }, []));
  const reported: string[] = [];
  for (const restart of ['permanent', 'transient', 'temporary'] as RestartType[]) {
    for (const [i, reason] of ['normal', 'shutdown', { shutdown: 'x' }, 'boom'].entries()) {
      const id = `${restart}${i}`;
      await startChild(system, sup, trace.worker(id, { restart }));
      trace.take();
      system.cast(name<any>(id), 'stop', reason);
      await settle();
      for (const line of trace.take())
        if (line.startsWith('report')) reported.push(`${restart} ${line.split(' ').at(-1)}`);
    }
  }
  assert.deepEqual(reported, [
    'permanent normal',
    'permanent shutdown',
    'permanent {"shutdown":"x"}',
    'permanent boom',
    'transient boom',
    'temporary boom',
  ]);
});

interface CrashProtocol {
  readonly call: { readonly crash: Call<Error, never> };
  readonly cast: { readonly crash: unknown; readonly spawn: undefined };
}

const Secret: GenServer<CrashProtocol, { secret: string; format?: (state: unknown) => unknown }> = genServer(
  import.meta,
  'Secret',
  {
    init: (start: { secret: string }, ctx) => {
      ctx.setLabel('keeper');
      return start;
    },
    handleCall: {
      crash: (_state, error) => {
        throw error;
      },
    },
    handleCast: {
      crash: (state: { secret: string }, reason) => {
        if (reason instanceof Error) throw reason;
        return { ...noreply(state), nonsense: true } as never;
      },
      spawn: (state: { secret: string }) => noreply(state),
    },
    formatStatus: (state) => {
      if (state.secret === 'cannot be shown') throw new Error('format failed');
      return { secret: '***' };
    },
  },
);

async function startSecret({ opener }: TestSystem): Promise<Pid<CrashProtocol>> {
  const result = await opener.start(Secret, { secret: 'x' });
  assert.ok(result !== 'ignore' && 'ok' in result);
  return result.ok;
}

test('a crash report says who, why, at which message and in which state, as formatStatus shows it', async (t) => {
  const system = await startTestSystem(t);
  const crashes = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  const pid = await startUnderRoot(system, child(Secret, { secret: 'x' }, { name: 'secret', restart: 'temporary' }));
  system.system.cast(pid, 'crash', new TypeError('boom'));
  await settle();
  const [crash] = crashes;
  const { reason, ...rest } = crash as CrashReport & { reason: { error: unknown; stack: string } };
  assert.deepEqual(rest, {
    system: system.system.name,
    pid,
    name: 'secret',
    label: 'keeper',
    initialCall: 'reports.test.js#Secret',
    ancestors: [system.system.root, system.system.whereis(name('init'))],
    links: [system.system.root],
    trapExit: false,
    messageQueueLen: 0,
    lastMessage: { kind: 'cast', tag: 'crash', payload: (crash as CrashReport).lastMessage?.payload },
    state: { secret: '***' },
  });
  assert.deepEqual(reason.error, { name: 'TypeError', message: 'boom' });
  assert.equal(crashes.length, 1);
});

test('the crash report of a call names who waits for its reply, and what was lost with it', async (t) => {
  const system = await startTestSystem(t);
  const crashes = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  const pid = await startUnderRoot(system, child(Secret, { secret: 'x' }, { restart: 'temporary' }));
  for (const options of [{ name: 'client' }, {}]) {
    crashes.length = 0;
    const server = options.name === undefined ? await startSecret(system) : pid;
    const client = await openProcess(system, options);
    const failed = assert.rejects(client.ctx.call(server, 'crash', new Error('boom')), { code: 'ERR_CALL_EXIT' });
    client.ctx.cast(server, 'spawn');
    await failed;
    const [crash] = crashes;
    assert.deepEqual(crash?.client, { pid: client.pid, name: options.name ?? null });
    assert.deepEqual([crash?.lastMessage?.kind, crash?.lastMessage?.tag], ['call', 'crash']);
    assert.equal(crash?.messageQueueLen, 1);
  }
});

test('a formatStatus that fails shows its failure instead of the state', async (t) => {
  const system = await startTestSystem(t);
  const crashes = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  const pid = await startUnderRoot(system, child(Secret, { secret: 'cannot be shown' }, { restart: 'temporary' }));
  system.system.cast(pid, 'crash', new Error('boom'));
  await settle();
  assert.ok(crashes[0]?.state !== undefined && 'format_status_failed' in (crashes[0].state as object));
});

test('normal, shutdown and { shutdown } make no crash report; an exit signal makes none either', async (t) => {
  const system = await startTestSystem(t);
  const crashes = eventsOf<CrashReport>(t, channels.crashReport, system.system.name);
  for (const reason of ['normal', 'shutdown', { shutdown: 'x' }, 'boom']) {
    system.opener.spawn((_arg: undefined, ctx: Context) => ctx.exit(reason), undefined);
  }
  const signalled = await openProcess(system);
  system.system.exitProcess(signalled.pid, 'boom');
  await settle();
  assert.deepEqual(
    crashes.map(({ reason }) => reason),
    ['boom'],
  );
});

test('process-start and process-exit are published for every process', async (t) => {
  const system = await startTestSystem(t);
  const order: unknown[] = [];
  onEvent<ProcessStart>(t, channels.processStart, system.system.name, ({ pid, parent, initialCall }) =>
    order.push(['start', pid, parent, initialCall]),
  );
  onEvent<ProcessExitEvent>(t, channels.processExit, system.system.name, ({ pid, reason }) =>
    order.push(['exit', pid, reason]),
  );
  const watcher = await openProcess(system);
  order.length = 0;
  function worker(_arg: undefined, ctx: Context): never {
    return ctx.exit('boom');
  }
  const { pid } = watcher.ctx.spawnMonitor(worker, undefined);
  const down = watcher.ctx.receive(() => {
    order.push('DOWN');
    return true;
  }, 'infinity');
  await down;
  assert.deepEqual(order, [['start', pid, watcher.pid, 'worker'], ['exit', pid, 'boom'], 'DOWN']);
});

test('a subscriber that throws does not disturb the kernel: the program gets the error as its own', async () => {
  const end = await runProgram(`
    process.on('uncaughtException', (error) => console.log('own', error.message));
    subscribe('beamish:process-exit', () => { throw new Error('bad subscriber'); });
    const handleCast = { stop: (s) => beamish.stop('x', s) };
    const Server = beamish.genServer(meta, 'Server', { init: () => 0, handleCast });
    const system = await beamish.startSystem({ children: [beamish.child(Server, undefined, { name: 'a' })] });
    const before = system.whereis('a');
    system.cast('a', 'stop');
    await testing.settle();
    console.log('restarted', system.isAlive(system.whereis('a')) && system.whereis('a') !== before);
    await system.stop();
  `);
  assert.equal(end.errors, '');
  assert.deepEqual(end.lines.slice(0, 2), ['own bad subscriber', 'restarted true']);
});
