import { processOptions, type StartOptions } from '../kernel/context.ts';
import { describeExit, type ExitReason } from '../kernel/exit.ts';
import { IdMap } from '../kernel/id-map.ts';
import { Pid } from '../kernel/pid.ts';
import type { StartResult } from '../kernel/process.ts';
import type { SupervisorContext } from '../kernel/process-context.ts';
import { isPromise, type MaybePromise } from '../kernel/protocol.ts';
import type { ExitSignal } from '../kernel/signals.ts';
import { awaitedStartError } from '../kernel/start-check.ts';
import { stopChild, stopChildren } from './child-shutdown.ts';

import type { ChildSpec, SupervisorFlags } from './child-spec.ts';
import { type AllowRestart, type AutoShutdown, endedAsAsked, isReported, isRestarted } from './restart.ts';

import type { ChildCount, ChildInfo, StartChildResult } from './supervisor-protocol.ts';
import type { SupervisorReporter } from './supervisor-report.ts';

export type DynamicOutcome = 'continue' | 'shutdown' | { readonly retry: Pid };

interface DynamicChild {
  readonly arg: unknown;
  /** A failed restart waits for its next try; the child is listed under its old pid. */
  restarting: boolean;
}

/** The children of a `simple_one_for_one` supervisor: any number, all from one template, known by pid. */
export class DynamicChildren {
  private readonly children = new IdMap<Pid, DynamicChild>();
  private readonly options: StartOptions & { readonly link: true };
  /** Whether children run on this thread; then what can be wrong with their start has been looked at. */
  private readonly here: boolean;
  private readonly ctx: SupervisorContext;
  private readonly template: ChildSpec;
  private readonly report: SupervisorReporter;
  private readonly allowRestart: AllowRestart;
  private readonly autoShutdown: AutoShutdown;
  private readonly childrenMax: number;

  constructor(
    ctx: SupervisorContext,
    template: ChildSpec,
    flags: Required<SupervisorFlags>,
    report: SupervisorReporter,
    allowRestart: AllowRestart,
  ) {
    this.ctx = ctx;
    this.template = template;
    this.autoShutdown = flags.autoShutdown;
    this.report = report;
    this.allowRestart = allowRestart;
    this.options = { ...processOptions(template), link: true };
    const { thread, isolated } = this.options;
    const wrong = awaitedStartError(template.start.behaviour, this.options);
    this.here = wrong === undefined && thread === undefined && isolated !== true;
    this.childrenMax = flags.maxChildren === 'infinity' ? Number.POSITIVE_INFINITY : flags.maxChildren;
  }

  /** The template's own argument comes first, as its arguments do in OTP. */
  startChild(extra: unknown): MaybePromise<StartChildResult> {
    if (this.children.size >= this.childrenMax) return { error: 'max_children' };
    const own = this.template.start.arg;
    // A supervisor is started from its own flags and children, which take nothing more.
    const complete = this.template.type === 'supervisor' && own !== undefined;
    if (complete && extra !== undefined) return { error: { invalid_start_argument: extra } };
    const arg = own === undefined ? extra : complete ? own : [own, extra];
    const launched = this.launch(arg);
    return isPromise(launched) ? launched.then((result) => this.started(arg, result)) : this.started(arg, launched);
  }

  private started(arg: unknown, result: StartResult): StartChildResult {
    if (result === 'ignore') return { ok: undefined };
    if ('ok' in result) this.children.set(result.ok, { arg, restarting: false });
    return result;
  }

  exited({ from: pid, reason, label, thread }: ExitSignal): DynamicOutcome | Promise<DynamicOutcome> {
    const child = this.children.get(pid);
    if (child === undefined) return 'continue';
    const { restart } = this.template;
    if (isReported(restart, reason)) this.report.error('child_terminated', reason, this.template, { pid, label });
    if (isRestarted(restart, reason)) return this.restart(pid, child, thread);
    this.children.delete(pid);
    return this.autoShutdownNow() ? 'shutdown' : 'continue';
  }

  retry(pid: Pid): DynamicOutcome | Promise<DynamicOutcome> {
    const child = this.children.get(pid);
    return child?.restarting === true ? this.restart(pid, child, null) : 'continue';
  }

  /** Ok for a dead pid too: it may have been a child. */
  async terminateChild(pid: unknown): Promise<'ok' | { readonly error: 'not_found' | 'simple_one_for_one' }> {
    if (!(pid instanceof Pid)) return { error: 'simple_one_for_one' };
    const child = this.children.get(pid);
    if (child === undefined) return this.ctx.isAlive(pid) ? { error: 'not_found' } : 'ok';
    if (!child.restarting) this.check(pid, await stopChild(this.ctx, pid, this.template.shutdown));
    this.children.delete(pid);
    return 'ok';
  }

  async stopAll(): Promise<void> {
    const { restart, shutdown } = this.template;
    const running = this.children
      .entries()
      .filter(([, child]) => !child.restarting)
      .map(([pid]) => pid);
    this.children.clear();
    // One report per reason: thousands of connections that end alike must not make thousands of reports.
    const failures = new Map<string, { readonly reason: ExitReason; count: number }>();
    await stopChildren(this.ctx, running, shutdown, (_pid, reason) => {
      if (endedAsAsked(restart, shutdown, reason)) return;
      const key = describeExit(reason);
      const failure = failures.get(key);
      if (failure === undefined) failures.set(key, { reason, count: 1 });
      else failure.count++;
    });
    for (const { reason, count } of failures.values())
      this.report.error('shutdown_error', reason, this.template, { count });
  }

  which(): ChildInfo[] {
    const { id, type } = this.template;
    return this.children.entries().map(([pid, { restarting }]) => ({ id, pid: restarting ? 'restarting' : pid, type }));
  }

  count(): ChildCount {
    const size = this.children.size;
    let active = 0;
    this.children.forEach(({ restarting }) => {
      if (!restarting) active++;
    });
    const supervisor = this.template.type === 'supervisor';
    return { specs: 1, active, supervisors: supervisor ? size : 0, workers: supervisor ? 0 : size };
  }

  getChildSpec(pid: unknown): { readonly ok: ChildSpec } | { readonly error: 'not_found' } {
    return pid instanceof Pid && this.children.has(pid) ? { ok: this.template } : { error: 'not_found' };
  }

  /** A significant child has ended by itself, and is not restarted. */
  private autoShutdownNow(): boolean {
    if (this.autoShutdown === 'never' || !this.template.significant) return false;
    return this.autoShutdown === 'any_significant' || this.children.size === 0;
  }

  private async restart(pid: Pid, child: DynamicChild, thread: number | null): Promise<DynamicOutcome> {
    if (!this.allowRestart(thread)) {
      this.report.error('shutdown', 'reached_max_restart_intensity', this.template, { pid });
      this.children.delete(pid);
      return 'shutdown';
    }
    const result = await this.launch(child.arg);
    if (result !== 'ignore' && 'error' in result) {
      this.report.error('start_error', result.error, this.template, { pid });
      child.restarting = true;
      return { retry: pid };
    }
    this.children.delete(pid);
    if (result !== 'ignore') this.children.set(result.ok, { arg: child.arg, restarting: false });
    return 'continue';
  }

  private launch(arg: unknown): MaybePromise<StartResult> {
    const { behaviour } = this.template.start;
    if (this.here) return this.ctx.startLikeOthers(behaviour, arg, this.options);
    return this.ctx.startLink(behaviour, arg, this.options);
  }

  private check(pid: Pid, reason: ExitReason): void {
    const { restart, shutdown } = this.template;
    if (!endedAsAsked(restart, shutdown, reason)) this.report.error('shutdown_error', reason, this.template, { pid });
  }
}
