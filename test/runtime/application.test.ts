import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  application,
  applicationController,
  CallError,
  ensureAllStarted,
  isErrorExit,
  name,
  StartError,
  type System,
  startApplication,
  startSystem,
  stopApplication,
  supervisor,
  whichApplications,
} from '../../runtime/index.ts';
import { settle, simulatedClock } from '../../runtime/testing.ts';
import { probe, startApplications, workerOf } from '../support/application-probe.ts';
import { SupervisionTrace, type WorkerProtocol } from '../support/supervision-trace.ts';
import { killSystem, startTestSystem, systemName } from '../support/test-system.ts';

test('an application starts if those that it needs run, and not before', async (t) => {
  const { system, a, b, log } = await startApplications(t);
  assert.deepEqual(await startApplication(system, b), { error: { not_started: 'a' } });
  assert.equal(await startApplication(system, a), 'ok');
  assert.equal(await startApplication(system, b), 'ok');
  assert.deepEqual(await startApplication(system, b), { error: { already_started: 'b' } });
  assert.deepEqual(log, ['a start', 'a worker', 'b start', 'b worker']);
});

test('a start returns when the top process runs', async (t) => {
  const { system } = await startApplications(t);
  const trace = new SupervisionTrace(t, system.name);
  const slow = application('slow', {
    start: async () => {
      await settle();
      return trace.worker('top');
    },
  });
  assert.equal(await startApplication(system, slow), 'ok');
  assert.deepEqual(trace.take(), ['init top#1']);
  assert.equal((await whichApplications(system))[0]?.top, system.whereis(name('top')));
});

test('whichApplications lists what runs, the newest first, with its type and top process', async (t) => {
  const { system, a, b } = await startApplications(t);
  const library = application('library', {});
  await startApplication(system, library);
  await startApplication(system, a, 'transient');
  await startApplication(system, b);
  const rows = await whichApplications(system);
  assert.deepEqual(
    rows.map(({ name, type, top }) => [name, type, top !== undefined]),
    [
      ['b', 'temporary', true],
      ['a', 'transient', true],
      ['library', 'temporary', false],
    ],
  );
  for (const { top } of rows) assert.ok(top === undefined || system.isAlive(top));
});

test('stop: prepStop, then the processes, then stop with the state, and it waits for all', async (t) => {
  const { system, a, log, reports } = await startApplications(t);
  await startApplication(system, a);
  log.length = 0;
  assert.equal(await stopApplication(system, a), 'ok');
  assert.deepEqual(log, ['a prepStop state', 'a worker "shutdown"', 'a stop state, prepared']);
  assert.deepEqual(await whichApplications(system), []);
  assert.deepEqual(await stopApplication(system, 'a'), { error: { not_started: 'a' } });
  assert.deepEqual(
    reports.map(({ application: name, event, type, reason }) => [name, event, type, reason]),
    [
      ['a', 'started', 'temporary', undefined],
      ['a', 'exited', 'temporary', 'stopped'],
    ],
  );
  assert.equal(await startApplication(system, a), 'ok', 'it can be started again');
});

test('those that need it run on when an application is stopped', async (t) => {
  const { system, a, b, c } = await startApplications(t);
  await ensureAllStarted(system, b);
  await stopApplication(system, a);
  assert.deepEqual(
    (await whichApplications(system)).map(({ name }) => name),
    ['b'],
  );
  assert.deepEqual(await startApplication(system, c), 'ok');
});

test('ensureAllStarted starts what is needed, in order, and leaves alone what runs', async (t) => {
  const { system, a, c } = await startApplications(t);
  await startApplication(system, a);
  assert.deepEqual(await ensureAllStarted(system, c), { ok: ['b', 'c'] });
  assert.deepEqual(await ensureAllStarted(system, c), { ok: [] });
});

test('ensureAllStarted stops what it started if one fails', async (t) => {
  const { system, a, b, log } = await startApplications(t);
  await startApplication(system, a);
  const failing = application('failing', { applications: [b], start: () => ({ error: 'no' }) });
  assert.deepEqual(await ensureAllStarted(system, failing), {
    error: { application: 'failing', reason: { reason: 'no', start: 'failing' } },
  });
  assert.deepEqual(
    (await whichApplications(system)).map(({ name }) => name),
    ['a'],
  );
  assert.equal(log.at(-1), 'b stop state, prepared');
});

test('two starts of one application at the same time are one start', async (t) => {
  const { system, a, c, log } = await startApplications(t);
  assert.deepEqual(await Promise.all([startApplication(system, a), startApplication(system, a)]), ['ok', 'ok']);
  assert.deepEqual(log, ['a start', 'a worker']);
  const both = await Promise.all([ensureAllStarted(system, c), ensureAllStarted(system, c)]);
  assert.deepEqual(
    log.filter((line) => line.endsWith('start')),
    ['a start', 'b start', 'c start'],
  );
  assert.ok(both.every((each) => 'ok' in each));
});

test('a start that fails says why, and leaves nothing', async (t) => {
  const { system, reports } = await startApplications(t);
  const trace = new SupervisionTrace(t, system.name);
  const start = async (begin: () => unknown): Promise<unknown> => {
    const result = await startApplication(system, application('x', { start: begin as never }));
    assert.notEqual(result, 'ok');
    return (result as { error: unknown }).error;
  };
  assert.deepEqual(await start(() => ({ error: 'no' })), { reason: 'no', start: 'x' });
  const thrown = (await start(() => assert.fail('boom'))) as { reason: unknown; start: string };
  assert.ok(isErrorExit(thrown.reason) && thrown.start === 'x');
  assert.deepEqual(await start(() => 7), { bad_return: { start: 'x', value: 7 } });
  assert.deepEqual(await start(() => undefined), { bad_return: { start: 'x', value: undefined } });
  assert.deepEqual(await start(() => trace.worker('w', { plan: ['ignore'] })), {
    bad_return: { start: 'x', value: 'ignore' },
  });
  const failing = supervisor('top', {}, [trace.worker('v', { plan: [{ stop: 'no' }] })]);
  assert.deepEqual(await start(() => failing), {
    reason: { shutdown: { failed_to_start_child: { id: 'v', reason: 'no' } } },
    start: 'x',
  });
  assert.deepEqual(await whichApplications(system), []);
  assert.deepEqual([...new Set(reports.map(({ event }) => event))], ['exited']);
  assert.deepEqual(await startApplication(system, { name: 'y' } as never), {
    error: { bad_application: { name: 'y' } },
  });
  assert.deepEqual(await startApplication(system, application('y', {}), 'always' as never), {
    error: { invalid_restart_type: 'always' },
  });
});

test('a library has no process, and counts as running', async (t) => {
  const { system } = await startApplications(t);
  const library = application('library', {});
  const user = application('user', { applications: [library] });
  assert.deepEqual(await startApplication(system, user), { error: { not_started: 'library' } });
  assert.deepEqual(await ensureAllStarted(system, user), { ok: ['library', 'user'] });
  assert.equal(await stopApplication(system, library), 'ok');
});

test('the end of a temporary application is reported, and that is all; its callbacks have run', async (t) => {
  const { system, a, b, log, reports } = await startApplications(t);
  await startApplication(system, a);
  log.length = 0;
  system.cast(workerOf('a'), 'exit', 'boom');
  await settle();
  assert.deepEqual(log, ['a worker "boom"', 'a prepStop state', 'a stop state, prepared']);
  assert.deepEqual(
    reports.slice(1).map(({ application: name, event, type, reason }) => [name, event, type, reason]),
    [['a', 'exited', 'temporary', 'shutdown']],
  );
  assert.equal(system.stopRequested, false);
  assert.deepEqual(await whichApplications(system), []);
  assert.deepEqual(await startApplication(system, b), { error: { not_running: 'a' } });
  assert.deepEqual(await ensureAllStarted(system, b), { ok: ['a', 'b'] }, 'it is started again');
});

test('an application that has ended can be stopped: ok, and then it is not started', async (t) => {
  const { system, a, b } = await startApplications(t);
  await startApplication(system, a);
  system.cast(workerOf('a'), 'exit', 'boom');
  await settle();
  assert.equal(await stopApplication(system, a), 'ok');
  assert.deepEqual(await startApplication(system, b), { error: { not_started: 'a' } });
});

test('the end of a permanent application stops the system, the other applications in reverse order', async (t) => {
  for (const type of ['permanent', 'transient'] as const) {
    const { system, a, c, log } = await startApplications(t);
    await startApplication(system, a, type);
    await ensureAllStarted(system, c);
    log.length = 0;
    system.cast(workerOf('a'), 'exit', 'boom');
    assert.deepEqual(await system.terminated, { application_terminated: { application: 'a', reason: 'shutdown' } });
    assert.equal(system.stopRequested, false);
    const ends = log.filter((line) => line.includes(' stop '));
    assert.deepEqual(ends, ['a stop state, prepared', 'c stop state, prepared', 'b stop state, prepared']);
  }
});

test('a normal end stops the system if the application is permanent, not if it is transient', async (t) => {
  for (const [type, stops] of [
    ['permanent', true],
    ['transient', false],
    ['temporary', false],
  ] as const) {
    const { system } = await startApplications(t);
    const trace = new SupervisionTrace(t, system.name);
    const once = application('once', { start: () => trace.worker('top') });
    await startApplication(system, once, type);
    system.cast(name<WorkerProtocol>('top'), 'exit', 'normal');
    await settle();
    const reason = { application_terminated: { application: 'once', reason: 'normal' } };
    assert.deepEqual(await outcomeOf(system), stops ? reason : 'runs', type);
  }
});

test('a permanent application may be stopped by hand', async (t) => {
  const { system, a } = await startApplications(t);
  await startApplication(system, a, 'permanent');
  assert.equal(await stopApplication(system, a), 'ok');
  await settle();
  assert.deepEqual(await whichApplications(system), []);
});

test('a start that fails stops the system unless the application is temporary', async (t) => {
  for (const [type, begin, stops] of [
    ['permanent', () => ({ error: 'no' }), true],
    ['transient', () => ({ error: 'no' }), true],
    ['transient', () => ({ error: 'normal' }), false],
    ['permanent', () => ({ error: 'normal' }), true],
    ['temporary', () => ({ error: 'no' }), false],
  ] as const) {
    const { system } = await startApplications(t);
    const failing = application('failing', { start: begin });
    const reason = { reason: begin().error, start: 'failing' };
    assert.deepEqual(await startApplication(system, failing, type), { error: reason });
    await settle();
    const failure = { application_start_failure: { application: 'failing', reason } };
    assert.deepEqual(await outcomeOf(system), stops ? failure : 'runs', type);
  }
});

test('applications of boot start with the system, each after those that it needs', async (t) => {
  const { system, log } = await startApplications(t, { c: 'permanent' });
  assert.deepEqual(
    log.filter((line) => line.endsWith('start')),
    ['a start', 'b start', 'c start'],
  );
  assert.deepEqual(
    (await whichApplications(system)).map(({ name, type }) => [name, type]),
    [
      ['c', 'permanent'],
      ['b', 'permanent'],
      ['a', 'permanent'],
    ],
  );
});

test('an application of boot that fails fails the start of the system, after the others were stopped', async () => {
  const log: string[] = [];
  const failing = application('failing', { applications: [probe('a', log)], start: () => ({ error: 'no' }) });
  const starting = startSystem({ name: systemName(), children: [applicationController([failing])] });
  const reason = { application: 'failing', reason: { reason: 'no', start: 'failing' } };
  await assert.rejects(starting, (error) => {
    assert.ok(error instanceof StartError);
    assert.deepEqual(error.reason, {
      shutdown: {
        failed_to_start_child: { id: 'application_controller', reason: { application_start_failure: reason } },
      },
    });
    return true;
  });
  assert.equal(log.at(-1), 'a stop state, prepared');
});

test('a temporary application of boot that fails does not', async (t) => {
  const failing = application('failing', { start: () => ({ error: 'no' }) });
  const children = [applicationController([{ application: failing, type: 'temporary' }])];
  const { system } = await startTestSystem(t, { children });
  assert.deepEqual(await whichApplications(system), []);
});

test('a system that stops stops its applications in the reverse order of their starts', async (t) => {
  const { system, log, a, c } = await startApplications(t);
  await startApplication(system, a);
  await ensureAllStarted(system, c);
  log.length = 0;
  await system.stop();
  assert.equal(await system.terminated, 'shutdown');
  assert.deepEqual(
    log.filter((line) => !line.includes('worker')),
    ['c', 'b', 'a'].flatMap((app) => [`${app} prepStop state`, `${app} stop state, prepared`]),
  );
});

test('an application that was started again counts as the newest', async (t) => {
  const { system, a, log } = await startApplications(t);
  await startApplication(system, a);
  await startApplication(system, probe('d', log));
  system.cast(workerOf('a'), 'exit', 'boom');
  await settle();
  await startApplication(system, a);
  log.length = 0;
  await system.stop();
  const ends = log.filter((line) => line.includes(' stop '));
  assert.deepEqual(ends, ['a stop state, prepared', 'd stop state, prepared']);
});

test('an application that does not end is killed after the shutdown time of the controller', async (t) => {
  const clock = simulatedClock();
  const stubborn = application('stubborn', {
    start: () => supervisor('top', {}, []),
    stop: () => new Promise(() => {}),
  });
  const children = [applicationController([stubborn], { shutdown: 100 })];
  const system = await startSystem({ name: systemName(), clock, children });
  t.after(() => killSystem(system));
  const stopped = system.stop();
  await clock.advance(99);
  assert.equal(await outcomeOf(system), 'runs');
  await clock.advance(1);
  await stopped;
});

test('prepStop and stop that throw are reported, and the application is stopped all the same', async (t) => {
  const { system, reports } = await startApplications(t);
  const trace = new SupervisionTrace(t, system.name);
  const torn = application('torn', {
    start: () => trace.worker('top'),
    prepStop: () => assert.fail('prepStop'),
    stop: async () => assert.fail('stop'),
  });
  await startApplication(system, torn);
  assert.equal(await stopApplication(system, torn), 'ok');
  assert.deepEqual(trace.take(), ['init top#1', 'exit top#1 shutdown', 'exit torn shutdown']);
  const failed = reports.filter(({ event }) => event === 'callback_failed');
  assert.deepEqual(
    failed.map(({ callback, reason }) => [callback, isErrorExit(reason)]),
    [
      ['prepStop', true],
      ['stop', true],
    ],
  );
});

test('a controller that is killed takes its applications along, and starts those of boot again', async (t) => {
  const { system, b, log } = await startApplications(t, { a: 'permanent' });
  await startApplication(system, b);
  log.length = 0;
  system.exitProcess(system.whereis(name('application_controller')) ?? assert.fail(), 'kill');
  await settle();
  assert.deepEqual(
    (await whichApplications(system)).map(({ name: app }) => app),
    ['a'],
  );
  assert.ok(log.indexOf('a stop state, prepared') < log.indexOf('a start'), 'the old ones stop in order before');
});

test('messages of user code do not deceive the controller', async (t) => {
  const { system, a } = await startApplications(t);
  await startApplication(system, a, 'permanent');
  const controller = name<any>('application_controller');
  const [row] = await whichApplications(system);
  const master = system.processInfo(row?.top ?? assert.fail())?.parent;
  for (const payload of [undefined, {}, { master: undefined }]) system.cast(controller, 'started', payload);
  system.send(controller, 'EXIT', { from: master, reason: 'forged' });
  system.send(name<any>('init'), 'stop', { reason: 'forged' });
  await settle();
  assert.equal(await outcomeOf(system), 'runs');
  assert.equal((await whichApplications(system)).length, 1);
});

test('without a controller every function rejects with CallError', async (t) => {
  const { system } = await startTestSystem(t);
  const app = application('a', {});
  for (const asked of [
    startApplication(system, app),
    stopApplication(system, app),
    ensureAllStarted(system, app),
    whichApplications(system),
  ]) {
    await assert.rejects(asked as Promise<unknown>, (error) => error instanceof CallError && error.reason === 'noproc');
  }
});

test('a malformed application is refused where it is defined', () => {
  assert.throws(() => application('', {}), /must be a text that is not empty/);
  assert.throws(() => application('x', { start: 1 } as never), /application 'x': start must be a function/);
  assert.throws(
    () => application('x', { applications: ['a'] } as never),
    /each of applications must be an application, not 'a'/,
  );
});

/** The reason with which a system has terminated, or that it runs. */
function outcomeOf(system: System): Promise<unknown> {
  return Promise.race([system.terminated, Promise.resolve('runs')]);
}
