/** The names of a tree that goes down after its supervisor was killed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, name, type Pid, startChild, supervisor, whichChildren } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import type { WorkerPlan } from '../support/supervision-trace.ts';
import { startSup, sup, type TracedSystem } from '../support/traced-supervisor.ts';

async function rows({ system }: TracedSystem): Promise<string[]> {
  const children = await whichChildren(system, sup);
  return children.map(({ id, pid }) => `${id} ${typeof pid === 'object' ? 'runs' : pid}`);
}

test('a restart waits for the names of a tree that goes down after its supervisor was killed', async (t) => {
  const system = await startSup(t, {}, (trace) => {
    const terminate: WorkerPlan['terminate'] = (_reason, ctx) => ctx.receive(() => false, 100);
    return [supervisor('inner', { name: 'inner' }, [trace.worker('a', { trapExit: true, terminate })])];
  });
  system.system.exitProcess(system.system.whereis(name('inner')) as Pid, 'kill');
  await system.clock.advance(99);
  assert.deepEqual(system.trace.take(), [
    'exit inner killed',
    'report child_terminated inner killed',
    'terminate a#1 killed',
  ]);
  await system.clock.advance(1);
  assert.deepEqual(system.trace.take(), ['exit a#1 killed', 'init a#2']);
  assert.deepEqual(await rows(system), ['inner runs']);
});

test('who does not give back the name within 10,000 ms is killed, and the restart goes on', async (t) => {
  const hang = (): Promise<void> => new Promise(() => {});
  const system = await startSup(t, { intensity: 1, periodMs: 60_000 }, (trace) => [
    supervisor('inner', { name: 'inner' }, [trace.worker('a', { trapExit: true, terminate: hang })]),
  ]);
  const orphan = system.system.whereis(name('a')) as Pid;
  system.system.exitProcess(system.system.whereis(name('inner')) as Pid, 'kill');
  await system.clock.advance(9_999);
  assert.equal(system.system.whereis(name('a')), orphan);
  await system.clock.advance(1);
  assert.equal(system.system.isAlive(orphan), false);
  const successor = system.system.whereis(name('a'));
  assert.ok(successor !== undefined && successor !== orphan);
});

test('a living process whose spawner has returned is no orphan: a start under its name is told at once', async (t) => {
  const system = await startSup(t, {}, () => []);
  const { opener, trace } = system;
  const live = (): Promise<void> => new Promise(() => {});
  opener.spawn((_arg: undefined, ctx: Context) => void ctx.spawn(live, undefined, { name: 'a' }), undefined);
  await settle();
  const spec = trace.worker('a');
  const holder = system.system.whereis(name('a'));
  let result: unknown = 'pending';
  void startChild(system.system, sup, spec).then((answer) => {
    result = answer;
  });
  await settle();
  assert.deepEqual(result, { error: { already_started: holder }, child: spec });
});
