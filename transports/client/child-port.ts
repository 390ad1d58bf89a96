import type { ChildProcess } from 'node:child_process';
import { type ChildProcessLimits, EXIT_FLUSH_MS } from '../limits.ts';
import { type Line, LineSplitter } from '../line-splitter.ts';
import { serialise } from '../serialise.ts';
import type { CarrierOutlet } from './carrier-outlet.ts';
import { type ChildCommand, signalGroup, startChild } from './child-process.ts';

/** How a child process ended, as the exit reason of its carrier has it. */
export interface ChildExit {
  readonly child_exit: {
    readonly code: number | null;
    readonly signal: string | null;
    /** The last line of its standard error, if it wrote any. */
    readonly lastLog?: string;
  };
}

/** The pipes of a child process that talks in lines. It belongs to the process of a carrier. */
export class ChildPort {
  readonly child: ChildProcess;
  private readonly outlet: CarrierOutlet;
  private readonly limits: ChildProcessLimits;
  private readonly lines: LineSplitter;
  private readonly logs: LineSplitter;
  private lastLog: string | undefined;
  private pending = '';
  private flushing = false;
  private hasExited = false;
  private outputEnded = false;
  private discarding = false;

  constructor(command: ChildCommand, outlet: CarrierOutlet, limits: ChildProcessLimits) {
    this.outlet = outlet;
    this.limits = limits;
    this.lines = new LineSplitter(limits.messageBytesMax);
    this.logs = new LineSplitter(limits.logLineBytesMax);
    this.child = startChild(command, limits);
    const { stdin, stdout, stderr, stdio } = this.child;
    // EPIPE: the child reads no more. Its exit is what counts, and comes by itself or by the ladder.
    for (const stream of [stdin, stdout, stderr, stdio[3]]) stream?.on('error', ignored);
    stdout?.on('data', this.onOutput).on('end', this.onOutputEnd);
    stderr?.on('data', this.onLog);
    this.child.on('exit', this.onExit);
  }

  /** Resolves when the child runs; rejects with the error of the operating system. */
  started(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.child.once('spawn', resolve).once('error', reject);
    });
  }

  /** False if the child has left too much unread. */
  send(message: object): boolean {
    const stdin = this.child.stdin!;
    if (stdin.writableLength + this.pending.length > this.limits.queuedBytesMax) return false;
    this.pending += `${serialise(message)}\n`;
    if (!this.flushing) {
      this.flushing = true;
      process.nextTick(this.flush);
    }
    return true;
  }

  /** The owner has handled texts: read on if that was what reading waited for. */
  pump(): void {
    while (!this.outlet.isFull) {
      const line = this.lines.next();
      if (line === undefined) break;
      this.deliver(line);
    }
    const stdout = this.child.stdout!;
    if (!this.lines.isEmpty) stdout.pause();
    else if (stdout.isPaused()) stdout.resume();
    this.report();
  }

  /** Nobody wants more of what it says: it gets the end of its input, and may write without being read. */
  endInput(): void {
    this.flush();
    this.child.stdin?.end();
    this.discarding = true;
    this.lines.rest();
    this.child.stdout?.resume();
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    signalGroup(this.child, signal);
  }

  /** Lets go of everything, and leaves nobody of the group behind. */
  close(): void {
    this.signal('SIGKILL');
    for (const stream of this.child.stdio) stream?.destroy();
    this.child.unref();
  }

  private readonly flush = (): void => {
    this.flushing = false;
    const { pending } = this;
    this.pending = '';
    if (pending !== '') this.child.stdin?.write(pending);
  };

  private readonly onOutput = (chunk: Buffer): void => {
    if (this.discarding) return;
    this.lines.push(chunk);
    this.pump();
  };

  private readonly onOutputEnd = (): void => {
    this.outputEnded = true;
    this.pump();
  };

  private readonly onLog = (chunk: Buffer): void => {
    this.logs.push(chunk);
    for (let line = this.logs.next(); line !== undefined; line = this.logs.next()) {
      if (typeof line !== 'string') continue; // too long or not text: of no use to people
      this.lastLog = line;
      this.outlet.log(line);
    }
  };

  private readonly onExit = (): void => {
    this.hasExited = true;
    // What the server has left behind has nobody to talk to.
    this.signal('SIGKILL');
    this.report();
    if (!this.outputEnded) this.outlet.self('flush_over_after', EXIT_FLUSH_MS);
  };

  private deliver(line: Line): void {
    this.outlet.text(
      typeof line === 'string' ? { exchange: 0, text: line } : { exchange: 0, text: '', fault: line.fault },
    );
  }

  /** The end, once the child has exited and all that it wrote has been handed over. */
  private report(): void {
    if (!this.hasExited || !this.outputEnded || !this.lines.isEmpty) return;
    const last = this.lines.last();
    if (last !== undefined) this.deliver(last);
    this.reportExit();
  }

  reportExit(): void {
    const { exitCode: code, signalCode: signal } = this.child;
    const { lastLog } = this;
    const child_exit = { code, signal, ...(lastLog === undefined ? {} : { lastLog }) };
    this.outlet.self('exited', { child_exit } satisfies ChildExit);
  }
}

function ignored(): void {}
