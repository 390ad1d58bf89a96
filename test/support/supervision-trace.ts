/** Workers that follow a plan, and one list of what happened to them and their supervisors, in order. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  type Call,
  type ChildOptions,
  type ChildSpec,
  type Context,
  channels,
  child,
  describeExit,
  type ErrorExit,
  type ExitReason,
  type GenServer,
  genServer,
  ignore,
  isErrorExit,
  noreply,
  type Pid,
  type ProcessExitEvent,
  type ProgressReport,
  reply,
  type SupervisorReport,
  type System,
  startChild,
  stop,
  stopInit,
} from '../../runtime/index.ts';
import type { Cleanup } from './test-system.ts';

/** What one start attempt of a worker does: `{ stop }` refuses with that reason. */
export type Attempt = 'ok' | 'ignore' | 'throw' | 'hang' | { readonly stop: ExitReason };

export interface WorkerPlan extends ChildOptions {
  /** What the first, second … start does; `'ok'` after its end. */
  readonly plan?: readonly Attempt[];
  readonly trapExit?: boolean;
  /** What `terminate` does; a server without it has no `terminate` line in the trace. */
  readonly terminate?: (reason: ExitReason, ctx: Context) => unknown;
}

export interface WorkerStart {
  readonly trace: SupervisionTrace;
  readonly id: string;
  readonly options: WorkerPlan;
}

export interface WorkerProtocol {
  readonly call: { readonly ping: Call<void, string>; readonly exit: Call<ExitReason, never> };
  readonly cast: {
    readonly throw: unknown;
    readonly exit: ExitReason;
    readonly stop: ExitReason;
    readonly run: (ctx: Context) => unknown;
  };
}

interface WorkerState {
  readonly label: string;
  readonly start: WorkerStart;
}

/** A worker of a trace; made by `trace.worker`. */
export const PlannedWorker: GenServer<WorkerProtocol, WorkerStart> = genServer(import.meta, 'PlannedWorker', {
  init: (start: WorkerStart, ctx) => {
    const { trace, id, options } = start;
    const label = trace.attempt(id);
    ctx.setLabel(label);
    ctx.trapExit(options.trapExit ?? false);
    const attempt = options.plan?.[trace.attempts(id) - 1] ?? 'ok';
    trace.add(`init ${label}`);
    if (attempt === 'ignore') return ignore();
    if (attempt === 'throw') throw new Error('init failed');
    if (attempt === 'hang') return new Promise<WorkerState>(() => {});
    if (attempt !== 'ok') return stopInit(attempt.stop);
    return { label, start } as WorkerState;
  },
  handleCall: {
    ping: (state: WorkerState) => reply(state.label, state),
    exit: (_state: WorkerState, reason, ctx) => ctx.exit(reason),
  },
  handleCast: {
    throw: (_state: WorkerState, thrown) => {
      throw thrown;
    },
    exit: (_state: WorkerState, reason, ctx) => ctx.exit(reason),
    stop: (state: WorkerState, reason) => stop(reason, state),
    run: async (state: WorkerState, run, ctx) => {
      await run(ctx);
      return noreply(state);
    },
  },
  terminate: (reason, state: WorkerState, ctx) => {
    const { trace, options } = state.start;
    if (options.trapExit === true) trace.add(`terminate ${state.label} ${shortExit(reason)}`);
    return options.terminate?.(reason, ctx);
  },
});

/** An exit reason in one word: `boom`, `{"shutdown":"x"}`, `error:init failed`. */
export function shortExit(reason: ExitReason): string {
  if (!isErrorExit(reason)) return describeExit(reason);
  const { error } = reason as ErrorExit & { error: { message?: string } | null };
  return `error:${error?.message ?? describeExit(error)}`;
}

/**
 * The trace of one system. Lines: `init a#1`, `terminate a#1 shutdown`, `exit a#1 shutdown`, `report child_terminated a
 * boom`; a number counts the starts of that id. Supervisors appear under their id once they have started.
 */
export class SupervisionTrace {
  readonly progress: string[] = [];
  readonly reports: SupervisorReport[] = [];
  private lines: string[] = [];
  private readonly starts = new Map<string, number>();
  private readonly ids = new Map<Pid, string>();

  constructor(t: Cleanup, system: string) {
    const on = <T>(channel: string, listener: (event: T) => void): void => onEvent(t, channel, system, listener);
    on(channels.processExit, ({ pid, label, reason }: ProcessExitEvent) => {
      const who = label ?? this.ids.get(pid);
      if (who !== undefined) this.add(`exit ${who} ${shortExit(reason)}`);
    });
    on(channels.progressReport, ({ started }: ProgressReport) => {
      this.progress.push(started.id ?? '-');
      if (started.pid !== undefined && started.pid !== 'restarting') this.ids.set(started.pid, started.id ?? '-');
    });
    on(channels.supervisorReport, (report: SupervisorReport) => {
      const { errorContext, offender, reason } = report;
      const count = offender.count === undefined ? '' : ` x${offender.count}`;
      this.reports.push(report);
      this.add(`report ${errorContext} ${offender.id ?? '-'} ${shortExit(reason)}${count}`);
    });
  }

  /** The specification of a worker that follows a plan; it is registered under its id. */
  worker(id: string, options: WorkerPlan = {}): ChildSpec {
    const { plan: _plan, trapExit: _trapExit, terminate: _terminate, ...rest } = options;
    return child(PlannedWorker, this.start(id, options), { id, name: id, ...rest });
  }

  /** The start argument of a worker: what `startChild` of a `simple_one_for_one` supervisor takes. */
  start(id: string, options: WorkerPlan = {}): WorkerStart {
    return { trace: this, id, options };
  }

  /** The template for workers of a `simple_one_for_one` supervisor. */
  template(options: ChildOptions = {}): ChildSpec {
    return child<any>(PlannedWorker, undefined, options);
  }

  add(line: string): void {
    this.lines.push(line);
  }

  /** Counts a start and returns its label. */
  attempt(id: string): string {
    const n = this.attempts(id) + 1;
    this.starts.set(id, n);
    return `${id}#${n}`;
  }

  attempts(id: string): number {
    return this.starts.get(id) ?? 0;
  }

  /** What happened since the last time it was asked. */
  take(): string[] {
    const { lines } = this;
    this.lines = [];
    return lines;
  }
}

/** Calls back with the events of one system while a test runs. */
export function onEvent<T>(t: Cleanup, channel: string, system: string, listener: (event: T) => void): void {
  const own = (event: unknown): void => {
    if ((event as { system: string }).system === system) listener(event as T);
  };
  subscribe(channel, own);
  t.after(() => unsubscribe(channel, own));
}

/** Collects the events of one system while a test runs. */
export function eventsOf<T>(t: Cleanup, channel: string, system: string): T[] {
  const events: T[] = [];
  onEvent<T>(t, channel, system, (event) => events.push(event));
  return events;
}

/** Starts a child of the root supervisor, which must succeed. */
export async function startUnderRoot({ system }: { readonly system: System }, spec: ChildSpec): Promise<Pid> {
  const result = await startChild(system, system.root, spec);
  if ('error' in result || result.ok === undefined) throw new Error(`it did not start: ${JSON.stringify(result)}`);
  return result.ok;
}
