import type { Context } from '../kernel/context.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { Pid } from '../kernel/pid.ts';
import { originOf } from '../kernel/process-context.ts';
import { progressReport, type ReportedChild, type SupervisorReport, supervisorReport } from '../telemetry.ts';
import type { ChildSpec } from './child-spec.ts';

/** What one supervisor publishes about its children. */
export class SupervisorReporter {
  private readonly ctx: Context;
  private readonly supervisor: string;
  private readonly dynamic: boolean;

  constructor(ctx: Context, supervisor: string, dynamic: boolean) {
    this.ctx = ctx;
    this.supervisor = supervisor;
    this.dynamic = dynamic;
  }

  error(
    errorContext: SupervisorReport['errorContext'],
    reason: ExitReason,
    spec: ChildSpec,
    about: { readonly pid?: ReportedChild['pid']; readonly label?: string | null; readonly count?: number },
  ): void {
    if (!supervisorReport.hasSubscribers) return;
    const offender = this.child(spec, about.pid, about.label ?? null);
    supervisorReport.publish({
      ...originOf(this.ctx),
      supervisor: this.supervisor,
      errorContext,
      reason,
      offender: about.count === undefined ? offender : { ...offender, count: about.count },
    } satisfies SupervisorReport);
  }

  progress(spec: ChildSpec, pid: Pid): void {
    if (!progressReport.hasSubscribers) return;
    const started = this.child(spec, pid, null);
    progressReport.publish({ ...originOf(this.ctx), supervisor: this.supervisor, started });
  }

  private child(spec: ChildSpec, pid: ReportedChild['pid'], label: string | null): ReportedChild {
    const { module, exportName } = spec.start.behaviour;
    const { restart, shutdown, type } = spec;
    const id = this.dynamic ? undefined : spec.id;
    return { id, pid, label, start: { module, exportName }, restart, shutdown, type };
  }
}
