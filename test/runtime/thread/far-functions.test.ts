/** Functions do not cross: what is made of functions says so where it is used. And where the output of threads goes. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { agent, channels, genEvent, type MessageLost, name, type Pid, taskSupervisor } from '../../../runtime/index.ts';
import { runProgram } from '../../support/child-program.ts';
import { Scripted, type ScriptProtocol } from '../../support/far-scripts.ts';
import { Probe as ProbeHandler } from '../../support/probe-handler.ts';
import { builtPath } from '../../support/repository.ts';
import { startThreads, until } from '../../support/thread-system.ts';

const refused = { name: 'NotTransferableError', message: /is a function/ };

test('agents, tasks and handlers of events, which are functions, are refused by another thread', async (t) => {
  const system = await startThreads(t, {
    threads: { a: 1 },
    children: [
      taskSupervisor('tasks', { name: 'tasks', thread: 'a' }),
      genEvent.child({ id: 'events', name: 'events', thread: 'a' }),
    ],
  });
  const started = await agent.start(system, () => 1, { thread: 'a' });
  assert.match(JSON.stringify(started), /is a function/);
  await assert.rejects(
    taskSupervisor.startChild(system, 'tasks', () => 1),
    refused,
  );
  await assert.rejects(genEvent.addHandler(system, name<any>('events'), ProbeHandler as any, undefined), refused);
  assert.equal(await genEvent.syncNotify(system, name<any>('events'), 'note', 1), 'ok');
});

test('a message of a timer that cannot cross is lost, and published', async (t) => {
  const system = await startThreads(t, { threads: { a: 1 } });
  const lost: MessageLost[] = [];
  const listener = (event: unknown): void => {
    if ((event as MessageLost).system === system.name) lost.push(event as MessageLost);
  };
  subscribe(channels.messageLost, listener);
  t.after(() => unsubscribe(channels.messageLost, listener));
  const started = await system.start(Scripted, undefined, { thread: 'a' });
  assert.ok(started !== 'ignore' && 'ok' in started);
  const pid = started.ok as Pid<ScriptProtocol>;
  await system.call(pid, 'run', { script: 'lateFunction', arg: system.root });
  await until(() => (lost.length > 0 ? true : undefined));
  assert.deepEqual([lost[0]?.to, lost.length], [0, 1]);
  assert.match(String(lost[0]?.error), /is a function/);
  assert.deepEqual(await system.call(pid, 'heard'), [], 'its thread goes on');
});

test('what many threads print goes to the standard error, if it is asked for', async () => {
  const { lines, errors, code } = await runProgram(`
    const { Scripted } = await import(${JSON.stringify(pathToFileURL(builtPath('test/support/far-scripts.ts')).href)});
    const threads = { cpu: { count: 11, spare: false } };
    const system = await beamish.startSystem({ threads, workers: { stdout: 'stderr' }, children: [] });
    for (let i = 0; i < 11; i++) {
      const { ok } = await system.start(Scripted, undefined, { thread: 'cpu' });
      await system.call(ok, 'run', { script: 'print', arg: 'from ' + i }, { timeoutMs: 'infinity' });
    }
    console.log('main');
    await system.stop();
  `);
  assert.equal(code, 0, errors);
  assert.deepEqual(lines, ['main']);
  assert.deepEqual(
    errors.trim().split('\n').sort(),
    Array.from({ length: 11 }, (_, i) => `from ${i}`).sort(),
    'and no warning of too many listeners',
  );
});
