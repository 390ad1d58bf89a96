import { type Behaviour, type BehaviourName, type BehaviourRunner, importBehaviour } from '../kernel/behaviour.ts';
import type { StartOptions } from '../kernel/context.ts';
import { exitReasonOf } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Process } from '../kernel/process.ts';
import { debugFromStart } from '../server/sys-requests.ts';

/**
 * Runs a process whose code this thread has still to import; what comes meanwhile waits in its mailbox. Code that
 * cannot be imported is the exit reason of the process (`undef` in Erlang).
 */
export class LoadingRunner implements BehaviourRunner {
  readonly handling = 'init';
  private readonly kernel: Kernel;
  private readonly behaviour: BehaviourName;
  private readonly arg: unknown;
  private readonly debug: StartOptions['debug'];
  private process!: Process;

  constructor(kernel: Kernel, behaviour: BehaviourName, arg: unknown, debug?: StartOptions['debug']) {
    this.kernel = kernel;
    this.behaviour = behaviour;
    this.arg = arg;
    this.debug = debug;
  }

  attach(process: Process): void {
    this.process = process;
  }

  boot(): Promise<Behaviour> {
    return importBehaviour(this.behaviour);
  }

  /** Never called: the import keeps the mailbox closed until there is another runner. */
  handle(): void {}

  exited(): void {}

  settled(behaviour: unknown): unknown {
    const runner = (behaviour as Behaviour).createRunner(this.kernel, this.arg);
    runner.attach(this.process);
    this.process.runner = runner;
    if (this.debug !== undefined) debugFromStart(runner, this.debug);
    return runner.boot();
  }

  failed(error: unknown): void {
    this.kernel.crash(this.process, exitReasonOf(error));
  }
}
