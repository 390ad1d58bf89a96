/** What a kernel keeps: nothing of the dead, of calls that are over, or of times that have passed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../../runtime/index.ts';
import { Kernel } from '../../runtime/kernel/kernel.ts';
import type { Process } from '../../runtime/kernel/process.ts';
import { spawn } from '../../runtime/kernel/start.ts';
import { type SimulatedClock, settle, simulatedClock } from '../../runtime/testing.ts';

/** The private parts that a test looks into. */
interface Inside {
  readonly table: { readonly slots: (Process | undefined)[]; readonly freeSlots: number[] };
  readonly locals: Map<string, Process>;
  readonly deferredCalls: { readonly servers: Map<number, Process> };
  readonly deadlines: { readonly queues: Map<number, unknown> };
}

function createKernel(t: { after(end: () => void): void }): { kernel: Kernel; clock: SimulatedClock; inside: Inside } {
  const clock = simulatedClock();
  const kernel = new Kernel({ name: 'memory', id: 'memory@1', clock, guard: { onUnattributed: null } });
  t.after(() => kernel.stop());
  return { kernel, clock, inside: kernel as unknown as Inside };
}

interface Open {
  readonly process: Process;
  readonly ctx: Context;
  readonly finish: () => void;
}

async function open(kernel: Kernel): Promise<Open> {
  let finish: () => void = () => {};
  let ctx: Context | undefined;
  const process = spawn(
    kernel,
    null,
    (_arg: undefined, own: Context) => {
      ctx = own;
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
    undefined,
    {},
  );
  await settle();
  return { process, ctx: ctx ?? assert.fail('it did not run'), finish };
}

test('the places of dead processes are used again', async (t) => {
  const { kernel, inside } = createKernel(t);
  for (let i = 0; i < 500; i++) {
    spawn(kernel, null, () => {}, undefined, { name: `n${i}` });
    if (i % 10 === 0) await settle();
  }
  await settle();
  assert.equal(kernel.processCount, 0);
  assert.ok(inside.table.slots.length <= 11, `${inside.table.slots.length} places for 10 processes at a time`);
  assert.equal(inside.table.freeSlots.length, inside.table.slots.length);
  assert.equal(inside.locals.size, 0);
});

test('a call that was left open is forgotten when it is answered, times out, or its server exits', async (t) => {
  const { kernel, clock, inside } = createKernel(t);
  const [caller, server] = [await open(kernel), await open(kernel)];
  const call = async (): Promise<{ outcome: Promise<unknown>; from: any }> => {
    const outcome = caller.ctx.call(server.process.pid, 'x').catch((error: { code: string }) => error.code);
    const message = await server.ctx.receive(() => true, 'infinity');
    assert.ok(message !== 'timeout');
    assert.equal(inside.deferredCalls.servers.size, 1);
    return { outcome, from: message.from };
  };
  const answered = await call();
  server.ctx.replyTo(answered.from, 'reply');
  assert.equal(await answered.outcome, 'reply');
  assert.equal(inside.deferredCalls.servers.size, 0);
  assert.equal(server.process.deferredCalls?.size, 0);

  const late = await call();
  await clock.advance(5_000);
  assert.equal(await late.outcome, 'ERR_CALL_TIMEOUT');
  assert.equal(inside.deferredCalls.servers.size, 0);
  assert.equal(server.process.deferredCalls?.size, 0);

  const failed = await call();
  server.finish();
  assert.equal(await failed.outcome, 'ERR_CALL_EXIT');
  assert.equal(inside.deferredCalls.servers.size, 0);
});

test('calls with many different times leave nothing behind when these are over', async (t) => {
  const { kernel, clock, inside } = createKernel(t);
  const [caller, server] = [await open(kernel), await open(kernel)];
  for (let i = 0; i < 100; i++) {
    void caller.ctx.call(server.process.pid, 'x', undefined, { timeoutMs: 100 + i / 7 }).catch(() => 'timed out');
  }
  assert.equal(inside.deadlines.queues.size, 100);
  await clock.advance(200);
  assert.equal(inside.deadlines.queues.size, 0);
  assert.equal(clock.pending, 0);
});

test('links and monitors of the dead are gone on both sides', async (t) => {
  const { kernel } = createKernel(t);
  const stays = await open(kernel);
  stays.ctx.trapExit(true);
  for (let i = 0; i < 50; i++) {
    const dies = await open(kernel);
    stays.ctx.link(dies.process.pid);
    stays.ctx.monitor(dies.process.pid);
    dies.ctx.monitor(stays.process.pid);
    dies.finish();
    await settle(2);
  }
  const { links, monitors, monitoredBy } = stays.process;
  assert.equal(links instanceof Set ? links.size : links === null ? 0 : 1, 0);
  assert.deepEqual([monitors?.size, monitoredBy?.size], [0, 0]);
});

test('what a dead process was waiting for, its ports, tables and timers are gone', async (t) => {
  const { kernel, clock } = createKernel(t);
  const { ctx, process, finish } = await open(kernel);
  void ctx.receive(() => false, 1_000_000);
  ctx.sendAfter(1_000_000, 'tick');
  ctx.newTable('t').set(1, 1);
  ctx.openPort({ close: () => {} });
  assert.equal(clock.pending, 2);
  finish();
  await settle();
  assert.equal(clock.pending, 0);
  assert.equal(kernel.timers.size, 0);
  assert.equal(kernel.tables.open(null, 't'), undefined);
  assert.deepEqual([process.receiver, process.ports, process.tables], [null, null, null]);
});
