import { type Behaviour, initialCallOf } from './behaviour.ts';
import type { ProcessFunction, StartOptions } from './context.ts';
import type { Deadline } from './deadline.ts';
import { FunctionRunner } from './function-runner.ts';
import type { Kernel } from './kernel.ts';
import { ORPHAN_WAIT_MS } from './limits.ts';
import type { Ref } from './pid.ts';
import { EXITED, type Process, type StartResult } from './process.ts';
import { checkTime } from './time.ts';

interface Tie {
  /** See `isOrphan`. */
  readonly awaitOrphan?: boolean;
  readonly link?: boolean;
  readonly monitor?: Ref;
}

/** Creates the process of a behaviour or a function; its first step has not run yet. */
export function spawn(
  kernel: Kernel,
  parent: Process | null,
  code: Behaviour | ProcessFunction<any>,
  arg: unknown,
  options: StartOptions & Tie,
): Process {
  if (typeof code === 'function') {
    const runner = new FunctionRunner(kernel, code, arg);
    return runner.attach(kernel.spawn(parent, code.name || 'function', runner, options));
  }
  const runner = code.createRunner(kernel, arg);
  const process = kernel.spawn(parent, initialCallOf(code), runner, options);
  runner.attach(process);
  return process;
}

/** Starts a server and waits until its init has succeeded or failed (proc_lib:start_link/5). */
export function start(
  kernel: Kernel,
  parent: Process | null,
  behaviour: Behaviour,
  arg: unknown,
  options: StartOptions & Tie,
): Promise<StartResult> {
  if (options.timeoutMs !== undefined) checkTime(options.timeoutMs, 'timeoutMs');
  const holder = options.name === undefined ? undefined : kernel.resolve(options.name);
  if (holder !== undefined) {
    const wait = options.awaitOrphan === true && isOrphan(kernel, holder);
    if (!wait) return Promise.resolve({ error: { already_started: holder.pid } });
    const once = { ...options, awaitOrphan: false };
    return untilGone(kernel, holder, parent).then(() => start(kernel, parent, behaviour, arg, once));
  }
  return new Promise((resolve) => {
    const process = spawn(kernel, parent, behaviour, arg, options);
    const deadline = options.timeoutMs === undefined ? null : new InitDeadline(kernel, process, parent);
    process.ack = (result) => {
      if (deadline !== null) deadline.done = true;
      if (parent?.status !== EXITED) resolve(result); // the code of a dead parent does not go on
    };
    if (deadline !== null && options.timeoutMs !== undefined) kernel.deadlines.add(deadline, options.timeoutMs);
  });
}

/**
 * The tree below a supervisor that was killed goes down after it, and keeps its names meanwhile. Who restarts that tree
 * must wait for them: it would have spent its restarts before they are free. Asked by supervisors only; everybody else
 * is told at once that the name is taken.
 */
function isOrphan(kernel: Kernel, holder: Process): boolean {
  return holder.orphaned || holder.ancestors.some((pid) => kernel.find(pid)?.orphaned === true);
}

/**
 * Settles when the process has exited; never if the one that waits exits first. After `ORPHAN_WAIT_MS` it is killed, as
 * the supervisor that told it to go would have done.
 */
function untilGone(kernel: Kernel, holder: Process, waiting: Process | null): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      if (waiting?.status !== EXITED) resolve();
    };
    const deadline: Deadline = { done: false, at: 0, expire: () => kernel.finish(holder, 'killed') };
    kernel.deadlines.add(deadline, ORPHAN_WAIT_MS);
    holder.ports ??= new Set();
    holder.ports.add({
      close: () => {
        deadline.done = true;
        queueMicrotask(settle); // after the kernel has finished with the exit
      },
    });
  });
}

/** Init took too long: the child is killed, and its starter hears of it by the result alone. */
class InitDeadline implements Deadline {
  done = false;
  at = 0;
  private readonly kernel: Kernel;
  private readonly process: Process;
  private readonly parent: Process | null;

  constructor(kernel: Kernel, process: Process, parent: Process | null) {
    this.kernel = kernel;
    this.process = process;
    this.parent = parent;
  }

  expire(): void {
    const { ack } = this.process;
    this.process.ack = null;
    if (this.parent !== null) this.kernel.signals.unlink(this.parent, this.process.pid);
    this.kernel.finish(this.process, 'killed');
    ack?.({ error: 'timeout' });
  }
}
