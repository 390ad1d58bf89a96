/** What is published on several threads can be put in the order in which it happened. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { channels, type Pid, type ProcessExitEvent, startSystem } from '../../../runtime/index.ts';
import { type Cleanup, systemName } from '../../support/test-system.ts';
import { startProbe, startThreads, until } from '../../support/thread-system.ts';

interface Ordered {
  readonly system: string;
  readonly order?: number;
}

/** What is published on a channel from now on. */
function published<E extends Ordered>(t: Cleanup, system: string, name: string): E[] {
  const events: E[] = [];
  const listener = (event: unknown): void => {
    if ((event as E).system === system) events.push(event as E);
  };
  subscribe(name, listener);
  t.after(() => unsubscribe(name, listener));
  return events;
}

test('events of several threads carry an order, in which a cause comes before what it has led to', async (t) => {
  const name = systemName();
  const exits = published<ProcessExitEvent>(t, name, channels.processExit);
  const system = await startThreads(t, { name, threads: { a: 1, b: 1, c: 1 } });
  for (let i = 0; i < 20; i++) {
    // Each dies of the one before it, on another thread.
    const chain: Pid<any>[] = [];
    for (const thread of ['a', 'b', 'main', 'c', 'a', 'c']) {
      const pid = await startProbe(system, { thread }, { trapExit: false });
      if (chain.length > 0) await system.call(pid, 'link', chain.at(-1)!);
      chain.push(pid);
    }
    exits.length = 0;
    system.exitProcess(chain[0]!, 'boom');
    await until(() => (exits.length === chain.length ? true : undefined));
    const ordered = [...exits].sort((one, two) => one.order! - two.order!);
    assert.deepEqual(
      ordered.map(({ pid }) => pid),
      chain,
    );
  }
});

test('uniqueInteger is greater than all that any thread has taken before', async (t) => {
  const system = await startThreads(t, { threads: { a: 1, b: 1 } });
  const probes = [
    await startProbe(system, { thread: 'a' }),
    await startProbe(system, { thread: 'b' }),
    await startProbe(system),
  ];
  let last = system.uniqueInteger();
  for (let i = 0; i < 30; i++) {
    const next = await system.call(probes[i % probes.length]!, 'uniqueInteger');
    assert.ok(next > last, `${next} after ${last}`);
    last = next;
  }
});

test('without threads events carry no order, and uniqueInteger counts', async (t) => {
  const name = systemName();
  const exits = published<ProcessExitEvent>(t, name, channels.processExit);
  const system = await startSystem({ name, children: [] });
  t.after(() => system.stop());
  assert.deepEqual([system.uniqueInteger(), system.uniqueInteger()], [0, 1]);
  const numbers: number[] = [];
  system.spawn((_arg: undefined, ctx) => numbers.push(ctx.uniqueInteger()), undefined);
  await until(() => (exits.length === 1 ? true : undefined));
  assert.deepEqual(numbers, [2]);
  assert.equal('order' in exits[0]!, false);
});
