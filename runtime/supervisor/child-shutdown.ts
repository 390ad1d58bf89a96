import type { Context, ReceivedMessage } from '../kernel/context.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { Pid, Ref } from '../kernel/pid.ts';
import { DownSignal, ExitSignal } from '../kernel/signals.ts';
import type { Shutdown } from './child-spec.ts';

/** How a supervisor stops children: monitor, ask, wait, kill. A child that has unlinked itself cannot hang it. */

/** Stops one child and returns the reason with which it ended. */
export async function stopChild(ctx: Context, pid: Pid, shutdown: Shutdown): Promise<ExitReason> {
  const ref = ctx.monitor(pid);
  const isDown = ({ payload }: ReceivedMessage): boolean => payload instanceof DownSignal && payload.ref === ref;
  ctx.exitProcess(pid, shutdown === 'brutal_kill' ? 'kill' : 'shutdown');
  let down = await ctx.receive(isDown, shutdown === 'brutal_kill' ? 'infinity' : shutdown);
  if (down === 'timeout') {
    ctx.exitProcess(pid, 'kill');
    down = await ctx.receive(isDown, 'infinity');
  }
  return unlinkFlush(ctx, pid, ((down as ReceivedMessage).payload as DownSignal).reason);
}

/** Stops many children at once, under one timer; calls back for each with the reason with which it ended. */
export async function stopChildren(
  ctx: Context,
  pids: Iterable<Pid>,
  shutdown: Shutdown,
  ended: (pid: Pid, reason: ExitReason) => void,
): Promise<void> {
  const waiting = new Map<Ref, Pid>();
  for (const pid of pids) waiting.set(ctx.monitor(pid), pid);
  const exitAll = (reason: ExitReason): void => {
    for (const pid of waiting.values()) ctx.exitProcess(pid, reason);
  };
  exitAll(shutdown === 'brutal_kill' ? 'kill' : 'shutdown');
  let until = typeof shutdown === 'number' ? ctx.clock.now() + shutdown : Number.POSITIVE_INFINITY;
  const isDown = ({ payload }: ReceivedMessage): boolean => payload instanceof DownSignal && waiting.has(payload.ref);
  while (waiting.size > 0) {
    const left = until === Number.POSITIVE_INFINITY ? 'infinity' : Math.max(0, until - ctx.clock.now());
    const down = await ctx.receive(isDown, left);
    if (down === 'timeout') {
      exitAll('kill');
      until = Number.POSITIVE_INFINITY;
      continue;
    }
    const { ref, reason } = down.payload as DownSignal;
    const pid = waiting.get(ref) as Pid;
    waiting.delete(ref);
    ended(pid, await unlinkFlush(ctx, pid, reason));
  }
}

/** Leaves no EXIT of the child behind. DOWN with noproc: it ended before the monitor stood, and its EXIT knows why. */
async function unlinkFlush(ctx: Context, pid: Pid, downReason: ExitReason): Promise<ExitReason> {
  ctx.unlink(pid);
  const exit = await ctx.receive(({ payload }) => payload instanceof ExitSignal && payload.from === pid, 0);
  if (downReason !== 'noproc') return downReason;
  return exit === 'timeout' ? 'child_process_unlinked' : (exit.payload as ExitSignal).reason;
}
