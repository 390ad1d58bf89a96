/** Hibernation: what a process lets go of, when, and that nobody can see it otherwise. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  enterLoop,
  type GenServer,
  genServer,
  hibernate,
  initOk,
  noreply,
  type Pid,
  reply,
  sys,
} from '../../runtime/index.ts';
import { Process } from '../../runtime/kernel/process.ts';
import { settle } from '../../runtime/testing.ts';
import { startTestSystem, type TestSystem } from '../support/test-system.ts';

interface Protocol {
  readonly call: { readonly sleep: Call<string, string>; readonly wake: Call<string, string> };
  readonly cast: { readonly sleep: undefined; readonly wake: undefined };
}

/** Hibernates when it is told to sleep. */
const Sleeper: GenServer<Protocol, 'asleep' | 'awake'> = genServer(import.meta, 'Sleeper', {
  init: (start) => (start === 'asleep' ? initOk(0, hibernate()) : 0),
  handleCall: {
    sleep: (n: number, text) => reply(text, n + 1, hibernate()),
    wake: (n: number, text) => reply(`${text} ${n}`, n + 1),
  },
  handleCast: { sleep: (n: number) => noreply(n + 1, hibernate()), wake: (n: number) => noreply(n + 1) },
});

type Mock = { readonly mock: { readonly calls: readonly { readonly this: unknown }[] } };

/** How often the process was compacted. */
function compactions({ mock }: Mock, pid: Pid): number {
  return mock.calls.filter(({ this: process }) => (process as Process).pid === pid).length;
}

async function startSleeper({ opener }: TestSystem, start: 'asleep' | 'awake', options = {}): Promise<Pid<Protocol>> {
  const result = await opener.start(Sleeper, start, options);
  assert.ok(result !== 'ignore' && 'ok' in result);
  return result.ok;
}

test('hibernate lets go of what is kept for the next burst, after a reply, a cast and init', async (t) => {
  const compact = t.mock.method(Process.prototype, 'compact');
  const system = await startTestSystem(t);
  const pid = await startSleeper(system, 'awake');
  assert.equal(await system.system.call(pid, 'wake', 'now'), 'now 0');
  assert.equal(compactions(compact, pid), 0);
  assert.equal(await system.system.call(pid, 'sleep', 'good night'), 'good night');
  assert.equal(compactions(compact, pid), 1);
  system.system.cast(pid, 'sleep');
  await settle();
  assert.equal(compactions(compact, pid), 2);
  assert.equal(await system.system.call(pid, 'wake', 'again'), 'again 3', 'its state is what it was');
  const asleep = await startSleeper(system, 'asleep');
  assert.equal(compactions(compact, asleep), 1);
  const entered = system.opener.spawn(() => enterLoop(Sleeper, 5, hibernate()), undefined);
  await settle();
  assert.equal(compactions(compact, entered), 1);
});

test('a server that hibernates with messages in its mailbox goes on with them, in their order', async (t) => {
  const system = await startTestSystem(t);
  const pid = await startSleeper(system, 'awake');
  const answers: Promise<string>[] = [];
  for (let i = 0; i < 100; i++) {
    system.system.cast(pid, i % 3 === 0 ? 'sleep' : 'wake');
    answers.push(system.system.call(pid, 'wake', String(i)));
  }
  const expected = answers.map((_, i) => `${i} ${2 * i + 1}`);
  assert.deepEqual(await Promise.all(answers), expected);
});

test('hibernateAfterMs hibernates a process that has handled nothing for that long, and no busy one', async (t) => {
  const compact = t.mock.method(Process.prototype, 'compact');
  const system = await startTestSystem(t);
  const pid = await startSleeper(system, 'awake', { hibernateAfterMs: 100 });
  for (let i = 0; i < 10; i++) {
    await system.clock.advance(60);
    system.system.cast(pid, 'wake');
    await settle();
  }
  assert.equal(compactions(compact, pid), 0, 'it had something to do all the time');
  await system.clock.advance(200);
  assert.ok(compactions(compact, pid) > 0);
  assert.equal(await system.system.call(pid, 'wake', 'after'), 'after 10');
});

test('sys looks into a server that hibernates and leaves it as it is', async (t) => {
  const system = await startTestSystem(t);
  const pid = await startSleeper(system, 'asleep');
  assert.equal(await sys.getState(system.system, pid), 0);
  assert.equal((await sys.getStatus(system.system, pid)).status, 'running');
  assert.equal(await system.system.call(pid, 'wake', 'then'), 'then 0');
});
