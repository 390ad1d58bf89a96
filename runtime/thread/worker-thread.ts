import { Worker } from 'node:worker_threads';
import type { ExitReason } from '../kernel/exit.ts';
import type { Assignment, FromWorker, ToWorker } from './control.ts';
import type { ThreadDescription } from './directory.ts';
import type { Look } from './stall.ts';
import type { ThreadEnd } from './thread-end.ts';
import { ThreadMemory } from './thread-memory.ts';
import type { Watched } from './watchdog.ts';

export interface WorkerOptions {
  readonly system: string;
  readonly resourceLimits: ResourceLimits | undefined;
  /** Where what it writes to its standard output goes. */
  readonly stdout: 'stdout' | 'stderr';
}

/**
 * What a worker thread may use, in megabytes (`node:worker_threads`, resourceLimits). Node.js does not always keep to
 * them: from 24 on a heap may grow past its limit, and from 22 on one in which no thread can start aborts the program.
 */
export interface ResourceLimits {
  readonly maxOldGenerationSizeMb?: number;
  readonly maxYoungGenerationSizeMb?: number;
  readonly codeRangeSizeMb?: number;
  readonly stackSizeMb?: number;
}

export interface WorkerListener {
  told(worker: WorkerThread, message: FromWorker): void;
  /** It runs no process any more, nor ever will: it has ended, or is about to. Once. */
  ended(worker: WorkerThread, end: ThreadEnd): void;
  /** It has ended. */
  exited(worker: WorkerThread): void;
  busy(worker: WorkerThread, is: boolean): void;
  stalled(worker: WorkerThread): void;
}

/** One worker of Node.js, from the thread that has started it. Until it is assigned it is a spare. */
export class WorkerThread implements Watched {
  /** Undefined while it is a spare. */
  assignment: Assignment | undefined;
  /** It runs processes. */
  isReady = false;
  /** It has no process any more, for which it was started, and ends therefore. */
  isIdle = false;
  /** Not even its listeners of `exit` run any more. */
  hasExited = false;
  private memory: ThreadMemory | undefined;
  private error: { readonly thrown: unknown } | undefined;
  private uncaught: ExitReason | undefined;
  private isOver = false;
  private isStalled = false;
  private termination: Promise<number> | undefined;
  private isAsked = false;
  private readonly worker: Worker;
  private readonly listener: WorkerListener;
  /** Settles when it has ended. */
  readonly exited: Promise<void>;
  /** Settles when it runs processes; rejects with its end if that comes first. */
  readonly readiness: Promise<void>;

  constructor({ system, resourceLimits, stdout }: WorkerOptions, listener: WorkerListener) {
    this.listener = listener;
    this.worker = new Worker(new URL('./worker-entry.js', import.meta.url), {
      name: system,
      ...inherited(process.execArgv),
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
      ...(stdout === 'stderr' ? { stdout: true } : {}),
    });
    // Not with `pipe`: every thread would leave its listeners at the standard error.
    if (stdout === 'stderr') this.worker.stdout.on('data', (chunk: Buffer) => process.stderr.write(chunk));
    this.worker.unref();
    this.worker.on('error', (thrown: unknown) => {
      this.error ??= { thrown };
    });
    this.readiness = new Promise((resolve, reject) => {
      this.worker.on('message', (message: FromWorker) => {
        if (message.kind === 'leaving') {
          this.uncaught = message.uncaught;
          this.over(message.exitCode);
          return;
        }
        if (message.kind === 'ready') this.isReady = true;
        listener.told(this, message);
        if (message.kind === 'ready') resolve();
      });
      this.worker.on('exit', (code) => reject(this.endOf(code)));
    });
    this.readiness.catch(() => {
      // Asked for when the system starts; later the end of the thread is an event.
    });
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        this.hasExited = true;
        this.over(code);
        listener.exited(this);
        resolve();
      });
    });
  }

  /** The event of its end comes milliseconds after its last code, when its heap is gone: nobody need wait for that. */
  private over(exitCode: number): void {
    if (this.isOver) return;
    this.isOver = true;
    this.listener.ended(this, this.endOf(exitCode));
  }

  get thread(): number | undefined {
    return this.assignment?.own.thread;
  }

  assign(assignment: Assignment): void {
    this.assignment = assignment;
    this.memory = new ThreadMemory(assignment.own.memory);
    const { fromFirst, toFirst } = assignment;
    this.worker.postMessage({ kind: 'assign', assignment } satisfies ToWorker, [fromFirst.port, toFirst.port]);
  }

  /** It has another place in its group; returns what the others are to know of it. */
  moveTo(position: number): ThreadDescription {
    const assignment = this.assignment as Assignment;
    const own = { ...assignment.own, position };
    this.assignment = { ...assignment, own };
    return own;
  }

  tell(message: ToWorker): void {
    this.worker.postMessage(message, message.kind === 'attach' ? [message.end.port] : []);
  }

  look(): Look {
    return { idleMs: this.worker.performance.eventLoopUtilization().idle, beat: this.memory?.beat ?? 0 };
  }

  /** It does not yield because it imports a module. */
  get imports(): boolean {
    return this.memory?.imports ?? false;
  }

  rest(): void {
    this.tell({ kind: 'rest' });
  }

  get rests(): boolean {
    return this.memory?.rests ?? false;
  }

  get processCount(): number {
    return this.memory?.processCount ?? 0;
  }

  busy(is: boolean): void {
    this.listener.busy(this, is);
  }

  stalled(): void {
    this.isStalled = true;
    this.listener.stalled(this);
  }

  /** Asks it to end by itself; a spare has nothing to end first. */
  stop(): void {
    this.isAsked = true;
    this.worker.ref(); // the program goes on until it has ended
    if (this.assignment === undefined) void this.worker.terminate();
    else this.tell({ kind: 'stop' });
  }

  private endOf(exitCode: number): ThreadEnd {
    const { error, uncaught, isStalled: stalled, isAsked: asked, isIdle: idle } = this;
    return { exitCode, stalled, asked, idle, uncaught, ...(error === undefined ? {} : { error: error.thrown }) };
  }

  async terminate(): Promise<void> {
    this.isAsked = true;
    // Asked for again while it ends, as an idle thread does when another one dies meanwhile.
    this.termination ??= this.worker.terminate();
    await this.termination;
  }
}

const preloads: readonly string[] = ['--import', '--require', '-r'];

/**
 * A thread gets the options of the program, as Node.js does it, except where the program is a text: what kind of text
 * it is (`--input-type`) is no option for a thread, which would end at once.
 */
function inherited(given: readonly string[]): { readonly execArgv?: string[] } {
  if (!given.some((option) => option.startsWith('--input-type'))) return {};
  const execArgv = given.filter((option, i) => {
    const before = given[i - 1];
    return (before !== undefined && preloads.includes(before)) || preloads.includes(option.split('=')[0] as string);
  });
  return { execArgv };
}
