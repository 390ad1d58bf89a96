/** Plain functions as processes: links, monitors, exit signals, selective receive. */
import assert from 'node:assert/strict';
import { type Context, type ExitReason, type Pid, startSystem } from '../runtime/index.ts';

const heard: unknown[] = [];

/** Two workers; it traps exits, so the end of the linked one is a message to it, and not its own end. */
async function watcher(done: (value: unknown) => void, ctx: Context): Promise<void> {
  ctx.trapExit(true);
  const worker: Pid = ctx.spawnLink(linked, ctx.self);
  await ctx.receive((m) => m.tag === 'ready', 1_000);
  ctx.send(worker, 'finish', 'with a reason of its own');
  const exit = await ctx.receive((m) => m.tag === 'EXIT', 1_000);
  assert.notEqual(exit, 'timeout');
  if (exit !== 'timeout') heard.push((exit.payload as { reason: ExitReason }).reason);

  const { ref } = ctx.spawnMonitor(fails, 'boom');
  const down = await ctx.receive((m) => m.tag === 'DOWN' && (m.payload as { ref: unknown }).ref === ref, 1_000);
  if (down !== 'timeout') heard.push((down.payload as { reason: { error: unknown } }).reason.error);
  done(undefined);
}

async function linked(parent: Pid, ctx: Context): Promise<void> {
  ctx.send(parent, 'ready');
  const message = await ctx.receive((m) => m.tag === 'finish', 'infinity');
  if (message !== 'timeout') ctx.exit({ shutdown: message.payload });
}

function fails(why: string): never {
  throw new RangeError(why);
}

const system = await startSystem({ children: [] });
await new Promise((resolve) => system.spawn(watcher, resolve));
assert.deepEqual(heard, [{ shutdown: 'with a reason of its own' }, { name: 'RangeError', message: 'boom' }]);
await system.stop();
