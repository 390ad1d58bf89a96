import { EnterLoop } from '../server/enter-loop.ts';
import type { ProcessFunction } from './context.ts';
import { BadArgError, exitReasonOf } from './errors.ts';
import type { Kernel } from './kernel.ts';
import type { Process, Runner } from './process.ts';
import { ProcessContext } from './process-context.ts';
import { isPromise } from './protocol.ts';

/** Runs a plain function as a process: it reads its mailbox with `receive`, and its return is the exit `'normal'`. */
export class FunctionRunner implements Runner {
  readonly handling = 'run';
  private readonly kernel: Kernel;
  private readonly run: ProcessFunction<any>;
  private readonly arg: unknown;
  private process: Process | null = null;

  constructor(kernel: Kernel, run: ProcessFunction<any>, arg: unknown) {
    this.kernel = kernel;
    this.run = run;
    this.arg = arg;
  }

  attach(process: Process): Process {
    this.process = process;
    return process;
  }

  boot(): unknown {
    const process = this.process as Process;
    const { run, arg } = this;
    const result = run(arg, new ProcessContext(this.kernel, process));
    return isPromise(result) ? result : this.settled(result);
  }

  /** Never called: the function's promise keeps the mailbox closed until the process ends. */
  handle(): void {}

  exited(): void {}

  settled(result: unknown): undefined {
    if (result instanceof EnterLoop) this.enter(result);
    else this.kernel.finish(this.process as Process, 'normal');
  }

  private enter({ behaviour, state, next }: EnterLoop): void {
    const process = this.process as Process;
    const runner = behaviour.createRunner(this.kernel, undefined);
    if (runner.enter === undefined) throw new BadArgError(`${behaviour.exportName} cannot be entered by a function`);
    runner.attach(process);
    runner.enter(state, next);
    process.runner = runner;
  }

  failed(error: unknown): void {
    this.kernel.crash(this.process as Process, exitReasonOf(error));
  }
}
