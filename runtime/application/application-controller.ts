import type { Context, ReceivedMessage } from '../kernel/context.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { From, Pid } from '../kernel/pid.ts';
import { originOf, type SupervisorContext } from '../kernel/process-context.ts';
import type { Call } from '../kernel/protocol.ts';
import { ExitSignal } from '../kernel/signals.ts';
import { type GenServer, sealedServer } from '../server/gen-server.ts';
import { noreply, reply, stopInit } from '../server/server-result.ts';
import { stopChild } from '../supervisor/child-shutdown.ts';
import type { RestartType } from '../supervisor/restart.ts';
import { stopSystem } from '../system-stop.ts';
import { type ApplicationReport, applicationReport } from '../telemetry.ts';
import type { Application } from './application.ts';
import { ApplicationMaster, type Started } from './application-master.ts';

/** `'ok'` or why not. */
export type ApplicationResult = 'ok' | { readonly error: ExitReason };

/** A row of `whichApplications`. `top` is undefined for an application without a process. */
export interface ApplicationInfo {
  readonly name: string;
  readonly type: RestartType;
  readonly top: Pid | undefined;
}

/** An application to be started with the system. */
export interface BootApplication {
  readonly application: Application;
  /** What its end by itself means for the system; see `applicationController`. */
  readonly type: RestartType;
}

/** The calls that the controller answers; reached through the functions of `application.ts`. */
export interface ApplicationProtocol {
  readonly call: {
    readonly start: Call<BootApplication, ApplicationResult>;
    readonly stop: Call<string, ApplicationResult>;
    readonly which: Call<void, readonly ApplicationInfo[]>;
  };
  readonly cast: { readonly started: Started };
}

/** An application that was started and not stopped; once it has ended by itself, `master` is undefined. */
interface Entry {
  readonly application: Application;
  readonly type: RestartType;
  readonly status: 'starting' | 'running' | 'ended';
  readonly master: Pid | undefined;
  readonly top: Pid | undefined;
  /** Who waits for its start. */
  readonly waiting: readonly From<ApplicationResult>[];
}

/** In the order of their starts. */
type Applications = Map<string, Entry>;

const types = new Set<unknown>(['permanent', 'transient', 'temporary']);

/** Knows which applications run, and what the end of one means for the system (OTP: application_controller). */
export const ApplicationController: GenServer<ApplicationProtocol, readonly BootApplication[]> = sealedServer(
  import.meta,
  'ApplicationController',
  {
    async init(boot, ctx) {
      ctx.trapExit(true);
      const applications: Applications = new Map();
      for (const each of boot) {
        const failure = await startAtBoot(applications, each, ctx);
        if (failure === undefined || !isFatal(each.type, failure.reason)) continue;
        await stopAll(applications, ctx);
        return stopInit({ application_start_failure: failure });
      }
      return applications;
    },
    handleCall: {
      start: async (applications, boot, ctx) => {
        const begun = await start(applications, boot, ctx);
        if (begun !== 'starting') return reply(begun, applications);
        const { name } = boot.application;
        const entry = applications.get(name) as Entry;
        applications.set(name, { ...entry, waiting: [...entry.waiting, ctx.from] });
        return noreply(applications);
      },
      stop: async (applications, name, ctx) => {
        const entry = applications.get(name);
        if (entry === undefined || entry.status === 'starting')
          return reply({ error: { not_started: name } }, applications);
        if (entry.master !== undefined) await stopChild(ctx, entry.master, 'infinity');
        applications.delete(name);
        if (entry.status === 'running') report(ctx, entry, { event: 'exited', reason: 'stopped' });
        return reply<ApplicationResult, Applications>('ok', applications);
      },
      which: (applications) => {
        const running = [...applications.values()].filter(({ status }) => status === 'running').reverse();
        return reply(
          running.map(({ application: { name }, type, top }) => ({ name, type, top })),
          applications,
        );
      },
    },
    handleCast: {
      started: (applications, message, ctx) => {
        for (const from of isRunning(applications, message, ctx)) ctx.replyTo(from, 'ok');
        return noreply(applications);
      },
    },
    handleInfo: {
      EXIT: (applications, signal, ctx) => {
        const entry = signal instanceof ExitSignal ? entryOf(applications, signal.from) : undefined;
        if (entry !== undefined) ended(applications, entry, signal.reason, ctx);
        return noreply(applications);
      },
    },
    terminate: (_reason, applications, ctx) => stopAll(applications, ctx),
  },
);

/** Begins a start, or says why there is none. */
async function start(
  applications: Applications,
  { application, type }: BootApplication,
  ctx: Context,
): Promise<ApplicationResult | 'starting'> {
  if (!types.has(type)) return { error: { invalid_restart_type: type } };
  if (application?.definition === undefined) return { error: { bad_application: application } };
  const { name, definition } = application;
  const known = applications.get(name);
  if (known?.status === 'starting') return 'starting';
  if (known?.status === 'running') return { error: { already_started: name } };
  for (const { name: needed } of definition.applications) {
    const status = applications.get(needed)?.status;
    if (status === undefined || status === 'starting') return { error: { not_started: needed } };
    if (status === 'ended') {
      const reason = { not_running: needed };
      startFailed(name, type, reason, ctx);
      return { error: reason };
    }
  }
  applications.delete(name); // it comes last now
  const entry = { application, type, top: undefined, waiting: [] };
  if (definition.start === undefined) {
    applications.set(name, { ...entry, status: 'running', master: undefined });
    report(ctx, { application, type }, { event: 'started' });
    return 'ok';
  }
  // Under a name, so that it waits for the one of a controller that was killed, which is on its way out.
  const options = { name: `application_master.${name}` };
  const master = await (ctx as SupervisorContext).startChild(ApplicationMaster, application, options);
  if (master === 'ignore' || 'error' in master) return master === 'ignore' ? { error: master } : master;
  applications.set(name, { ...entry, status: 'starting', master: master.ok });
  return 'starting';
}

/** Before the controller serves: starts an application and those that it needs. Returns what failed. */
async function startAtBoot(
  applications: Applications,
  { application, type }: BootApplication,
  ctx: Context,
): Promise<{ readonly application: string; readonly reason: ExitReason } | undefined> {
  const name = application?.name;
  if (applications.has(name)) return undefined;
  for (const needed of application?.definition?.applications ?? []) {
    const failure = await startAtBoot(applications, { application: needed, type }, ctx);
    if (failure !== undefined) return failure;
  }
  const begun = await start(applications, { application, type }, ctx);
  if (begun === 'ok') return undefined;
  if (begun !== 'starting') return { application: name, reason: begun.error };
  const entry = applications.get(name) as Entry;
  const isOutcome = ({ kind, tag, payload }: ReceivedMessage): boolean =>
    (kind === 'cast' && tag === 'started' && (payload as Started | undefined)?.master === entry.master) ||
    (payload instanceof ExitSignal && payload.from === entry.master);
  const { payload } = (await ctx.receive(isOutcome, 'infinity')) as ReceivedMessage;
  if (!(payload instanceof ExitSignal)) {
    isRunning(applications, payload as Started, ctx);
    return undefined;
  }
  applications.delete(name);
  report(ctx, entry, { event: 'exited', reason: payload.reason });
  return { application: name, reason: payload.reason };
}

/** A master has started its application; returns who waited for that. */
function isRunning(applications: Applications, started: Started | undefined, ctx: Context): Entry['waiting'] {
  const entry = entryOf(applications, started?.master);
  if (entry === undefined) return [];
  applications.set(entry.application.name, { ...entry, status: 'running', top: started?.top, waiting: [] });
  report(ctx, entry, { event: 'started' });
  return entry.waiting;
}

/** A master has exited by itself. */
function ended(applications: Applications, entry: Entry, reason: ExitReason, ctx: Context): void {
  const { name } = entry.application;
  report(ctx, entry, { event: 'exited', reason });
  if (entry.status === 'starting') {
    applications.delete(name);
    for (const from of entry.waiting) ctx.replyTo(from, { error: reason });
    startFailed(name, entry.type, reason, ctx);
    return;
  }
  applications.set(name, { ...entry, status: 'ended', master: undefined, top: undefined });
  if (entry.type === 'permanent' || (entry.type === 'transient' && reason !== 'normal')) {
    stopSystem(ctx, { application_terminated: { application: name, reason } });
  }
}

function startFailed(application: string, type: RestartType, reason: ExitReason, ctx: Context): void {
  if (isFatal(type, reason)) stopSystem(ctx, { application_start_failure: { application, reason } });
}

/** Whether a start that failed so stops the system; `normal`: `start` exited as if all were well. */
function isFatal(type: RestartType, reason: ExitReason): boolean {
  const normal = (reason as { readonly reason?: unknown }).reason === 'normal';
  return type === 'permanent' || (type === 'transient' && !normal);
}

/** In the reverse order of their starts. */
async function stopAll(applications: Applications, ctx: Context): Promise<void> {
  for (const { master, status } of [...applications.values()].reverse()) {
    if (master !== undefined) await stopChild(ctx, master, status === 'starting' ? 'brutal_kill' : 'infinity');
  }
}

function entryOf(applications: Applications, master: Pid | undefined): Entry | undefined {
  return [...applications.values()].find((entry) => master !== undefined && entry.master === master);
}

function report(
  ctx: Context,
  { application, type }: Pick<Entry, 'application' | 'type'>,
  what: Pick<ApplicationReport, 'event' | 'reason'>,
): void {
  if (!applicationReport.hasSubscribers) return;
  applicationReport.publish({
    ...originOf(ctx),
    application: application.name,
    type,
    ...what,
  } satisfies ApplicationReport);
}
