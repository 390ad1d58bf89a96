import { processOptions } from '../kernel/context.ts';
import type { ExitReason } from '../kernel/exit.ts';
import { Pid } from '../kernel/pid.ts';
import type { StartResult } from '../kernel/process.ts';
import type { SupervisorContext } from '../kernel/process-context.ts';
import type { ExitSignal } from '../kernel/signals.ts';
import { stopChild } from './child-shutdown.ts';

import { type ChildSpec, checkChildSpec } from './child-spec.ts';
import {
  type AllowRestart,
  type AutoShutdown,
  endedAsAsked,
  firstAffected,
  isReported,
  isRestarted,
  type Strategy,
} from './restart.ts';

import type { ChildCount, ChildInfo, StartChildResult } from './supervisor-protocol.ts';
import type { SupervisorReporter } from './supervisor-report.ts';

/** A child as its supervisor keeps it; `restarting` while a failed restart waits for its next try. */
interface Child {
  readonly spec: ChildSpec;
  pid: Pid | 'restarting' | undefined;
}

/** What the end of a child leads to. `retry`: its restart failed and is tried again through a message. */
export type ExitOutcome = 'continue' | 'shutdown' | { readonly retry: string };

/**
 * The children of a supervisor that knows them by id, in start order (`one_for_one`, `one_for_all`, `rest_for_one`).
 */
export class StaticChildren {
  private readonly children = new Map<string, Child>();
  private readonly byPid = new Map<Pid, Child>();
  private readonly ctx: SupervisorContext;
  private readonly strategy: Strategy;
  private readonly autoShutdown: AutoShutdown;
  private readonly report: SupervisorReporter;
  private readonly allowRestart: AllowRestart;

  constructor(
    ctx: SupervisorContext,
    flags: { readonly strategy: Strategy; readonly autoShutdown: AutoShutdown },
    report: SupervisorReporter,
    allowRestart: AllowRestart,
  ) {
    this.ctx = ctx;
    this.strategy = flags.strategy;
    this.autoShutdown = flags.autoShutdown;
    this.report = report;
    this.allowRestart = allowRestart;
  }

  /** Starts all in order; on failure those already started are stopped in reverse order. Undefined if all is well. */
  async startAll(
    specs: readonly ChildSpec[],
  ): Promise<{ readonly id: string; readonly reason: ExitReason } | undefined> {
    for (const spec of specs) this.children.set(spec.id, { spec, pid: undefined });
    const failure = await this.start([...this.children.values()]);
    if (failure !== undefined) await this.stopAll();
    return failure;
  }

  stopAll(): Promise<void> {
    return this.stop([...this.children.values()]);
  }

  /** An exit signal came; undefined if it is of no child. */
  exited({ from: pid, reason, label, thread }: ExitSignal): ExitOutcome | Promise<ExitOutcome> {
    const child = this.byPid.get(pid);
    if (child === undefined) return 'continue';
    const { spec } = child;
    if (isReported(spec.restart, reason)) this.report.error('child_terminated', reason, spec, { pid, label });
    if (isRestarted(spec.restart, reason)) return this.restart(child, thread);
    this.forget(child);
    return this.autoShutdownAfter(spec) ? 'shutdown' : 'continue';
  }

  /** The next try of a restart that failed, unless the child was dealt with meanwhile. */
  retry(id: string): ExitOutcome | Promise<ExitOutcome> {
    const child = this.children.get(id);
    return child?.pid === 'restarting' ? this.restart(child, null) : 'continue';
  }

  async startChild(spec: ChildSpec): Promise<StartChildResult> {
    const error = checkChildSpec(spec, this.autoShutdown);
    if (error !== undefined) return { error };
    const known = this.children.get(spec.id);
    if (known !== undefined) {
      return { error: known.pid instanceof Pid ? { already_started: known.pid } : 'already_present' };
    }
    const child: Child = { spec, pid: undefined };
    const result = await this.launch(child);
    if (result === 'ignore') {
      if (spec.restart !== 'temporary') this.children.set(spec.id, child);
      return { ok: undefined };
    }
    if ('error' in result) return { error: result.error, child: spec };
    this.children.set(spec.id, child);
    return result;
  }

  async terminateChild(id: unknown): Promise<'ok' | { readonly error: 'not_found' }> {
    const child = this.children.get(id as string);
    if (child === undefined) return { error: 'not_found' };
    await this.stop([child]);
    return 'ok';
  }

  async restartChild(id: string): Promise<StartChildResult> {
    const child = this.children.get(id);
    if (child === undefined) return { error: 'not_found' };
    if (child.pid === 'restarting') return { error: 'restarting' };
    if (child.pid !== undefined) return { error: 'running' };
    const result = await this.launch(child);
    return result === 'ignore' ? { ok: undefined } : result;
  }

  deleteChild(id: string): 'ok' | { readonly error: ExitReason } {
    const child = this.children.get(id);
    if (child === undefined) return { error: 'not_found' };
    if (child.pid === 'restarting') return { error: 'restarting' };
    if (child.pid !== undefined) return { error: 'running' };
    this.children.delete(id);
    return 'ok';
  }

  getChildSpec(id: unknown): { readonly ok: ChildSpec } | { readonly error: 'not_found' } {
    const child = this.children.get(id as string) ?? this.byPid.get(id as Pid);
    return child === undefined ? { error: 'not_found' } : { ok: child.spec };
  }

  /** The newest first, as supervisor:which_children/1 lists them. */
  which(): ChildInfo[] {
    return [...this.children.values()].reverse().map(({ spec, pid }) => ({ id: spec.id, pid, type: spec.type }));
  }

  count(): ChildCount {
    const count = { specs: 0, active: 0, supervisors: 0, workers: 0 };
    for (const { spec, pid } of this.children.values()) {
      count.specs++;
      if (pid instanceof Pid) count.active++;
      if (spec.type === 'supervisor') count.supervisors++;
      else count.workers++;
    }
    return count;
  }

  private async restart(child: Child, thread: number | null): Promise<ExitOutcome> {
    const { pid, spec } = child;
    if (!this.allowRestart(thread)) {
      this.report.error('shutdown', 'reached_max_restart_intensity', spec, { pid });
      this.forget(child);
      return 'shutdown';
    }
    this.setPid(child, undefined);
    if (this.strategy === 'one_for_one') {
      const result = await this.launch(child);
      if (result === 'ignore' || 'ok' in result) return 'continue';
      this.report.error('start_error', result.error, spec, { pid });
      child.pid = 'restarting';
      return { retry: spec.id };
    }
    const all = [...this.children.values()];
    await this.stop(all.slice(firstAffected(this.strategy, all.indexOf(child))));
    const kept = [...this.children.values()];
    const failure = await this.start(kept.slice(firstAffected(this.strategy, kept.indexOf(child))));
    if (failure === undefined) return 'continue';
    (this.children.get(failure.id) as Child).pid = 'restarting';
    return { retry: failure.id };
  }

  /** Starts these in order, up to the first that fails. */
  private async start(children: readonly Child[]): Promise<{ id: string; reason: ExitReason } | undefined> {
    for (const child of children) {
      const { spec } = child;
      const result = await this.launch(child);
      if (result === 'ignore') {
        if (spec.restart === 'temporary') this.children.delete(spec.id);
      } else if ('error' in result) {
        this.report.error('start_error', result.error, spec, { pid: undefined });
        return { id: spec.id, reason: result.error };
      }
    }
    return undefined;
  }

  /** Stops these in reverse order, one after another; temporary ones are forgotten. */
  private async stop(children: readonly Child[]): Promise<void> {
    for (const child of [...children].reverse()) {
      const { pid, spec } = child;
      if (pid instanceof Pid) {
        const reason = await stopChild(this.ctx, pid, spec.shutdown);
        if (!endedAsAsked(spec.restart, spec.shutdown, reason))
          this.report.error('shutdown_error', reason, spec, { pid });
      }
      this.forget(child);
    }
  }

  private async launch(child: Child): Promise<StartResult> {
    const { start, name } = child.spec;
    const result = await this.ctx.startChild(start.behaviour, start.arg, {
      ...(name === undefined ? {} : { name }),
      ...processOptions(child.spec),
    });
    if (result !== 'ignore' && 'ok' in result) {
      this.setPid(child, result.ok);
      this.report.progress(child.spec, result.ok);
    }
    return result;
  }

  private setPid(child: Child, pid: Pid | undefined): void {
    if (child.pid instanceof Pid) this.byPid.delete(child.pid);
    child.pid = pid;
    if (pid !== undefined) this.byPid.set(pid, child);
  }

  /** It does not run any more; the specification of a temporary child goes with it. */
  private forget(child: Child): void {
    this.setPid(child, undefined);
    if (child.spec.restart === 'temporary') this.children.delete(child.spec.id);
  }

  private autoShutdownAfter(spec: ChildSpec): boolean {
    if (this.autoShutdown === 'never' || !spec.significant) return false;
    if (this.autoShutdown === 'any_significant') return true;
    for (const other of this.children.values()) if (other.spec.significant && other.pid !== undefined) return false;
    return true;
  }
}
