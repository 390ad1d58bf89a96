import type { Clock } from '../clock.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Message } from '../kernel/message.ts';
import type { Pid } from '../kernel/pid.ts';
import type { Process } from '../kernel/process.ts';
import { synchronous } from '../kernel/protocol.ts';
import { sysTrace } from '../telemetry.ts';

/**
 * What a behaviour reports while it is traced (sys, "System Messages"). `in`: a message that is about to be handled;
 * `out`: a reply; other types are of the behaviour.
 */
export interface DebugEvent {
  readonly type: string;
  /** Of `in`. */
  readonly message?: { readonly kind: string; readonly tag: string; readonly payload: unknown; readonly from?: Pid };
  /** Of `out`. */
  readonly to?: Pid;
  readonly value?: unknown;
  /** The name of the state in which it happened, if the behaviour has such. */
  readonly state?: unknown;
}

/**
 * A function that sees every event inside the process (sys:install/2). What it returns is its next state; `'done'`
 * removes it, and so does a throw.
 */
export type DebugFunction = (funcState: any, event: DebugEvent, processState: unknown) => unknown;

/** What `sys.statistics` returns; times are milliseconds of the clock of the system. */
export interface SysStatistics {
  /** When counting was switched on, and now. */
  readonly startTime: number;
  readonly currentTime: number;
  /** Messages that the process has handled, of all kinds. */
  readonly reductions: number;
  /** Messages of its own; requests of `sys` are none. */
  readonly messagesIn: number;
  /** Replies. */
  readonly messagesOut: number;
}

/** The commands that set up debugging; see `SystemCommand`. */
export type DebugCommand =
  | { readonly request: 'no_debug' }
  | { readonly request: 'statistics'; readonly flag: boolean | 'get' }
  | { readonly request: 'trace'; readonly flag: boolean }
  | { readonly request: 'log'; readonly flag: boolean | 'get'; readonly size: number }
  | { readonly request: 'install'; readonly id: unknown; readonly func: DebugFunction; readonly funcState: unknown }
  | { readonly request: 'remove'; readonly id: unknown };

interface Installed {
  readonly func: DebugFunction;
  state: unknown;
}

/** The debugging of one process: who listens to its events (sys). It exists only while somebody does. */
export class Debug {
  private tracing = false;
  private log: { readonly size: number; events: DebugEvent[] } | null = null;
  private counts: { readonly startTime: number; readonly reductions: number; in: number; out: number } | null = null;
  private readonly functions = new Map<unknown, Installed>();
  private readonly process: Process;
  private readonly clock: Clock;
  private readonly kernel: Kernel;

  constructor(process: Process, kernel: Kernel) {
    this.process = process;
    this.clock = kernel.clock;
    this.kernel = kernel;
  }

  /** What is on, as `sys.getStatus` lists it. */
  get installed(): readonly unknown[] {
    return [
      ...(this.tracing ? ['trace'] : []),
      ...(this.log === null ? [] : ['log']),
      ...(this.counts === null ? [] : ['statistics']),
      ...this.functions.keys(),
    ];
  }

  /** A message is about to be handled. */
  incoming({ kind, tag, payload, call }: Message, processState: () => unknown): void {
    const from = call === null ? {} : { from: call.caller.pid };
    this.event({ type: 'in', message: { kind, tag, payload, ...from } }, processState);
  }

  /** A reply goes out. */
  outgoing(to: Pid, value: unknown, processState: () => unknown): void {
    this.event({ type: 'out', to, value }, processState);
  }

  /** Tells everybody who listens. The state is asked for only if a function wants it. */
  event(event: DebugEvent, processState: () => unknown): void {
    if (this.counts !== null && event.type === 'in') this.counts.in++;
    if (this.counts !== null && event.type === 'out') this.counts.out++;
    if (this.tracing && sysTrace.hasSubscribers) {
      sysTrace.publish({ ...this.kernel.numbering.origin(this.process.pid), event });
    }
    if (this.log !== null) {
      this.log.events.push(event);
      if (this.log.events.length > this.log.size) this.log.events.shift();
    }
    for (const [id, installed] of this.functions) this.run(id, installed, event, processState);
  }

  /** Carries out a command and returns its answer; `over` is called when nobody listens any more. */
  configure(command: DebugCommand, over: () => void): unknown {
    const answer = this.carryOut(command);
    if (this.installed.length === 0) over();
    return answer;
  }

  private carryOut(command: DebugCommand): unknown {
    switch (command.request) {
      case 'trace':
        this.tracing = command.flag;
        return 'ok';
      case 'log':
        if (command.flag === 'get') return { ok: this.log === null ? [] : [...this.log.events] };
        this.log = command.flag ? { size: command.size, events: this.log?.events.slice(-command.size) ?? [] } : null;
        return 'ok';
      case 'statistics':
        return this.statistics(command.flag);
      case 'install':
        if (this.functions.has(command.id)) return { error: 'already_installed' };
        this.functions.set(command.id, { func: command.func, state: command.funcState });
        return 'ok';
      case 'remove':
        this.functions.delete(command.id);
        return 'ok';
      case 'no_debug':
        this.tracing = false;
        this.log = null;
        this.counts = null;
        this.functions.clear();
        return 'ok';
    }
  }

  private statistics(flag: boolean | 'get'): unknown {
    const { reductions } = this.process;
    if (flag === true) {
      this.counts = { startTime: this.clock.now(), reductions, in: 0, out: 0 };
      return 'ok';
    }
    if (flag === false) {
      this.counts = null;
      return 'ok';
    }
    if (this.counts === null) return { ok: 'no_statistics' };
    const { startTime, in: messagesIn, out: messagesOut } = this.counts;
    return {
      ok: {
        startTime,
        currentTime: this.clock.now(),
        reductions: reductions - this.counts.reductions,
        messagesIn,
        messagesOut,
      } satisfies SysStatistics,
    };
  }

  private run(id: unknown, installed: Installed, event: DebugEvent, processState: () => unknown): void {
    try {
      installed.state = synchronous(installed.func(installed.state, event, processState()));
    } catch {
      installed.state = 'done'; // as in sys: a function that fails, or is async, is removed, and the process goes on
    }
    if (installed.state === 'done') this.functions.delete(id);
  }
}
