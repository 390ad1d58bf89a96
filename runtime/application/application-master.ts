import { type Context, processOptions } from '../kernel/context.ts';
import { exitReasonOf } from '../kernel/errors.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { Pid } from '../kernel/pid.ts';
import { originOf, type SupervisorContext } from '../kernel/process-context.ts';
import { ExitSignal } from '../kernel/signals.ts';
import { type GenServer, sealedServer } from '../server/gen-server.ts';
import { continueWith, initOk, noreply, stop } from '../server/server-result.ts';
import { stopChild } from '../supervisor/child-shutdown.ts';
import { type ChildSpec, checkChildSpec } from '../supervisor/child-spec.ts';
import { applicationReport } from '../telemetry.ts';
import type { Application, ApplicationDefinition } from './application.ts';

/** What a master tells its controller, as the cast `started`. */
export interface Started {
  readonly master: Pid;
  readonly top: Pid;
}

interface Master {
  readonly application: Application;
  /** Null until the application runs; undefined once its top process has exited. */
  readonly top: Pid | null | undefined;
  readonly shutdown: ChildSpec['shutdown'];
  /** What `start` returned for `prepStop` and `stop`. */
  readonly state: unknown;
}

type MasterProtocol = { readonly continue: { readonly start: void } };

/**
 * The process above one running application (OTP: application_master): it starts the top process, is linked to it, and
 * ends with it. Its controller is its parent.
 */
export const ApplicationMaster: GenServer<MasterProtocol, Application> = sealedServer(
  import.meta,
  'ApplicationMaster',
  {
    init: (application, ctx) => {
      ctx.trapExit(true);
      ctx.setLabel(application.name);
      const master: Master = { application, top: null, shutdown: 'infinity', state: undefined };
      return initOk(master, continueWith('start')); // so that the controller does not wait for it
    },
    handleContinue: {
      start: async (master, _none, ctx) => {
        const started = await startTop(master.application, ctx);
        if ('error' in started) return stop(started.error, master);
        const { parent, self } = ctx;
        if (parent !== undefined) ctx.cast(parent, 'started', { master: self, top: started.top } satisfies Started);
        return noreply({ ...master, ...started });
      },
    },
    handleInfo: {
      EXIT: (master, signal) =>
        signal instanceof ExitSignal && signal.from === master.top
          ? stop(signal.reason, { ...master, top: undefined })
          : noreply(master),
    },
    async terminate(_reason, { application, top, shutdown, state }, ctx) {
      if (top === null) return;
      const { prepStop, stop: stopped } = application.definition;
      let last = state;
      await guarded('prepStop', application, ctx, async () => {
        if (prepStop !== undefined) last = await prepStop(state, ctx);
      });
      if (top !== undefined) await stopChild(ctx, top, shutdown);
      await guarded('stop', application, ctx, () => stopped?.(last, ctx));
    },
  },
);

type StartedTop = { readonly top: Pid; readonly shutdown: ChildSpec['shutdown']; readonly state: unknown };

async function startTop(
  { name, definition }: Application,
  ctx: Context,
): Promise<StartedTop | { readonly error: ExitReason }> {
  let returned: unknown;
  try {
    returned = await (definition.start as NonNullable<ApplicationDefinition['start']>)(ctx);
  } catch (error) {
    return { error: { reason: exitReasonOf(error), start: name } };
  }
  const { top, state, error } = partsOf(returned);
  if (error !== undefined) return { error: { reason: error, start: name } };
  const wrong = { error: { bad_return: { start: name, value: returned } } };
  if (checkChildSpec(top as ChildSpec, 'never') !== undefined) return wrong;
  const spec = top as ChildSpec;
  const result = await (ctx as SupervisorContext).startChild(spec.start.behaviour, spec.start.arg, {
    ...(spec.name === undefined ? {} : { name: spec.name }),
    ...processOptions(spec),
  });
  if (result === 'ignore') return { error: { bad_return: { start: name, value: 'ignore' } } };
  if ('error' in result) return { error: { reason: result.error, start: name } };
  return { top: result.ok, shutdown: spec.shutdown, state };
}

function partsOf(returned: unknown): { readonly top: unknown; readonly state?: unknown; readonly error?: unknown } {
  if (typeof returned !== 'object' || returned === null) return { top: returned };
  if ('error' in returned) return { top: undefined, error: returned.error };
  return 'top' in returned ? (returned as { top: unknown }) : { top: returned };
}

/** A callback that fails keeps nothing from stopping. */
async function guarded(
  callback: 'prepStop' | 'stop',
  { name }: Application,
  ctx: Context,
  run: () => unknown,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!applicationReport.hasSubscribers) return;
    applicationReport.publish({
      ...originOf(ctx),
      application: name,
      event: 'callback_failed',
      callback,
      reason: exitReasonOf(error),
    });
  }
}
