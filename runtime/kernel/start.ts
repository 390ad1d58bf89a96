import { ORPHAN_WAIT_MS } from '../limits.ts';
import { checkTraceable, debugFromStart } from '../server/sys-requests.ts';
import type { Behaviour, Code } from './behaviour.ts';
import type { StartOptions } from './context.ts';
import { Deadline } from './deadline.ts';
import { BadArgError } from './errors.ts';
import { errorData, errorExit } from './exit.ts';
import { FunctionRunner } from './function-runner.ts';
import type { Kernel, SpawnOptions } from './kernel.ts';
import { describeName } from './names.ts';
import type { Pid } from './pid.ts';
import { EXITED, type Process, type StartMonitorResult, type StartResult } from './process.ts';
import { ProcessContext } from './process-context.ts';
import type { MaybePromise } from './protocol.ts';
import type { Remote, Tie } from './remote.ts';
import { awaitedStartError, startError } from './start-check.ts';
import type { ViaName } from './via.ts';

/** Creates the process where its options say, and returns its pid. */
export function spawnAnywhere(
  kernel: Kernel,
  parent: Process,
  code: Code,
  arg: unknown,
  options: StartOptions & Tie,
): Pid {
  if (options?.thread === undefined && options?.isolated === undefined) {
    return spawn(kernel, parent, code, arg, options).pid;
  }
  const wrong = startError(code, options);
  if (wrong !== undefined) throw wrong;
  const thread = threadFor(kernel, options);
  if (thread === kernel.thread || kernel.remote === null) return spawn(kernel, parent, code, arg, options).pid;
  return kernel.remote.spawn(parent, thread, code, arg, options);
}

/** On which thread a process is to run. */
function threadFor(kernel: Kernel, options: StartOptions): number {
  const { thread, isolated } = options;
  if (thread === undefined && isolated !== true) return kernel.thread;
  if (kernel.remote !== null) return kernel.remote.place(options);
  if (thread === 'main' && isolated !== true) return kernel.thread;
  const what = isolated === true ? 'no threads' : `no thread group '${thread}'`;
  throw new BadArgError(`this system has ${what}: name groups in startSystem({ threads: { … } })`);
}

/** Creates the process of a behaviour or a function; its first step has not run yet. */
export function spawn(
  kernel: Kernel,
  parent: Process | null,
  code: Code,
  arg: unknown,
  options: StartOptions & Tie,
): Process {
  const wrong = startError(code, options);
  if (wrong !== undefined) throw wrong;
  if (typeof options.name === 'object') return spawnVia(kernel, parent, code, arg, options, options.name);
  const spawnOptions = options as SpawnOptions;
  if (typeof code === 'function') {
    const runner = new FunctionRunner(kernel, code, arg);
    return runner.attach(kernel.spawn(parent, code, runner, spawnOptions));
  }
  const runner = code.createRunner(kernel, arg);
  if (options.debug !== undefined) checkTraceable(runner);
  const process = kernel.spawn(parent, code, runner, spawnOptions);
  runner.attach(process);
  if (options.debug !== undefined) debugFromStart(runner, options.debug);
  return process;
}

/** Under a name in a registry of one's own. If it cannot have the name, it is as if it had never been there. */
function spawnVia(
  kernel: Kernel,
  parent: Process | null,
  code: Code,
  arg: unknown,
  options: StartOptions & Tie,
  via: ViaName,
): Process {
  const { name: _via, ...unnamed } = options;
  if (kernel.resolve(via) !== undefined) throw new BadArgError(`${describeName(via)} is taken`);
  const process = spawn(kernel, parent, code, arg, unnamed);
  try {
    const registered = via.via.registerName(new ProcessContext(kernel, process), via.name);
    if (!registered) throw new BadArgError(`${describeName(via)} is taken`);
  } catch (error) {
    if (parent !== null) kernel.signals.unlink(parent, process.pid);
    if (parent !== null && options.monitor !== undefined) kernel.signals.demonitor(parent, options.monitor, true);
    kernel.finish(process, 'normal');
    throw error;
  }
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
  const wrong = awaitedStartError(behaviour, options);
  if (wrong !== undefined) return Promise.reject(wrong);
  const holder = options.name === undefined ? undefined : kernel.whereis(options.name);
  if (holder !== undefined) {
    const taken = { error: { already_started: holder } };
    if (options.awaitOrphan !== true) return Promise.resolve(taken);
    const once = { ...options, awaitOrphan: false };
    return untilGone(kernel, holder, parent as Process).then((gone) =>
      gone ? start(kernel, parent, behaviour, arg, once) : taken,
    );
  }
  if (parent !== null && (options.thread !== undefined || options.isolated === true)) {
    let thread: number;
    try {
      thread = threadFor(kernel, options);
    } catch (error) {
      return Promise.resolve({ error: { invalid_thread: options.thread ?? 'isolated', why: errorData(error) } });
    }
    if (thread !== kernel.thread && kernel.remote !== null) {
      return startFar(kernel.remote, parent, thread, behaviour, arg, options);
    }
  }
  if (typeof options.name === 'object') return startVia(kernel, parent, behaviour, arg, options, options.name);
  return new Promise((resolve) => {
    const process = spawn(kernel, parent, behaviour, arg, options);
    acknowledgeTo(resolve, kernel, parent, process, options.timeoutMs);
  });
}

/**
 * `start` of a behaviour and options that are known to be sound, on this thread and without a name. Its first step is
 * taken here and now, as if it were next: how that went is returned itself, unless init makes a promise.
 */
export function startAtOnce(
  kernel: Kernel,
  parent: Process,
  behaviour: Behaviour,
  arg: unknown,
  options: StartOptions & Tie,
): MaybePromise<StartResult> {
  if (kernel.simulated) return start(kernel, parent, behaviour, arg, options);
  const runner = behaviour.createRunner(kernel, arg);
  const process = kernel.spawn(parent, behaviour, runner, options as SpawnOptions);
  runner.attach(process);
  let told: StartResult | undefined;
  process.ack = (result) => {
    told = result;
  };
  kernel.scheduler.bootNow(process);
  if (told !== undefined) return told;
  return new Promise((resolve) => acknowledgeTo(resolve, kernel, parent, process, undefined));
}

/** What cannot go to another thread is the outcome of the start, as is all else that keeps a child from starting. */
function startFar(
  remote: Remote,
  parent: Process,
  thread: number,
  behaviour: Behaviour,
  arg: unknown,
  options: StartOptions & Tie,
): Promise<StartResult> {
  try {
    return remote.start(parent, thread, behaviour, arg, options);
  } catch (error) {
    return Promise.resolve({ error: errorExit(error) });
  }
}

/** A registry is code of the user: what it throws is the outcome of the start, not an error of its caller. */
function startVia(
  kernel: Kernel,
  parent: Process | null,
  behaviour: Behaviour,
  arg: unknown,
  options: StartOptions & Tie,
  { via, name }: ViaName,
): Promise<StartResult> {
  return new Promise((resolve) => {
    let process: Process;
    try {
      process = spawn(kernel, parent, behaviour, arg, options);
    } catch (error) {
      resolve({ error: errorExit(error) });
      return;
    }
    const told = (result: StartResult): void => {
      // The name is free before the starter hears that there is no server.
      if (result === 'ignore') via.unregisterName(new ProcessContext(kernel, process), name);
      resolve(result);
    };
    acknowledgeTo(told, kernel, parent, process, options.timeoutMs);
  });
}

function acknowledgeTo(
  told: (result: StartResult) => void,
  kernel: Kernel,
  parent: Process | null,
  process: Process,
  timeoutMs: number | undefined,
): void {
  const deadline = timeoutMs === undefined ? null : new InitDeadline(kernel, process, parent);
  process.ack = (result) => {
    if (deadline !== null) deadline.done = true;
    if (parent?.status !== EXITED) told(result); // the code of a dead parent does not go on
  };
  if (deadline !== null && timeoutMs !== undefined) kernel.deadlines.add(deadline, timeoutMs);
}

/** `start` with a monitor that stands before init runs; if the start fails it leaves nothing behind. */
export async function startMonitor(
  kernel: Kernel,
  watcher: Process,
  behaviour: Behaviour,
  arg: unknown,
  options: StartOptions,
): Promise<StartMonitorResult> {
  const ref = kernel.nextRef();
  const result = await start(kernel, watcher, behaviour, arg, { ...options, monitor: ref });
  if (result !== 'ignore' && 'ok' in result) return { ok: { pid: result.ok, ref } };
  kernel.signals.demonitor(watcher, ref, true);
  return result;
}

/**
 * The tree below a supervisor that was killed goes down after it, and keeps its names meanwhile. Who restarts that tree
 * must wait for them: it would have spent its restarts before they are free. Asked by supervisors only; everybody else
 * is told at once that the name is taken.
 */
function isOrphan(kernel: Kernel, holder: Process): boolean {
  if (holder.orphaned) return true;
  return holder.ancestors.some((pid) =>
    // The exit signal of an ancestor on another thread may still be on its way here.
    kernel.names.isElsewhere(pid) ? !kernel.isAlive(pid) : kernel.find(pid)?.orphaned === true,
  );
}

/** Who has a name; wherever that is, true once it is gone, false at once if it is no orphan. */
function untilGone(kernel: Kernel, holder: Pid, waiting: Process): Promise<boolean> {
  const process = kernel.find(holder);
  if (process !== undefined) return untilOrphanGone(kernel, process, waiting);
  return kernel.remote?.untilOrphanGone(holder) ?? Promise.resolve(true);
}

/**
 * True when the process has exited, false at once if it is no orphan; never settles if the one that waits exits first.
 * After `ORPHAN_WAIT_MS` it is killed, as the supervisor that told it to go would have done.
 */
export function untilOrphanGone(kernel: Kernel, holder: Process, waiting: Process | null): Promise<boolean> {
  if (!isOrphan(kernel, holder)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (): void => {
      if (waiting?.status !== EXITED) resolve(true);
    };
    const deadline = new OrphanDeadline(kernel, holder);
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

/** The rest of a tree that went down did not go in time. */
class OrphanDeadline extends Deadline {
  private readonly kernel: Kernel;
  private readonly holder: Process;

  constructor(kernel: Kernel, holder: Process) {
    super();
    this.kernel = kernel;
    this.holder = holder;
  }

  expire(): void {
    this.kernel.finish(this.holder, 'killed');
  }
}

/** Init took too long: the child is killed, and its starter hears of it by the result alone. */
class InitDeadline extends Deadline {
  private readonly kernel: Kernel;
  private readonly process: Process;
  private readonly parent: Process | null;

  constructor(kernel: Kernel, process: Process, parent: Process | null) {
    super();
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
