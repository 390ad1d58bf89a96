import type { Context } from '../kernel/context.ts';
import type { Pid } from '../kernel/pid.ts';
import type { SupervisorContext } from '../kernel/process-context.ts';
import { isPromise, type MaybePromise } from '../kernel/protocol.ts';
import { ExitSignal } from '../kernel/signals.ts';
import { type GenServer, sealedServer } from '../server/gen-server.ts';
import { type HandlerResult, noreply, reply, stop, stopInit } from '../server/server-result.ts';
import { type ChildSpec, checkChildSpecs, checkFlags, type SupervisorStart } from './child-spec.ts';
import { DynamicChildren, type DynamicOutcome } from './dynamic-children.ts';
import { type AllowRestart, RestartWindow } from './restart.ts';
import { type ExitOutcome, StaticChildren } from './static-children.ts';
import type { ChildInfo, ChildResult, StartChildResult, SupervisorProtocol } from './supervisor-protocol.ts';
import { SupervisorReporter } from './supervisor-report.ts';

type Children = StaticChildren | DynamicChildren;
type Outcome = ExitOutcome | DynamicOutcome;

const notForDynamic = { error: 'simple_one_for_one' } as const;

/**
 * The supervisor as a server. It traps exits and does one thing at a time: while a handler waits for a child to start
 * or stop, its mailbox is closed.
 */
export const SupervisorServer: GenServer<SupervisorProtocol, SupervisorStart> = sealedServer(
  import.meta,
  'SupervisorServer',
  {
    async init(start: SupervisorStart, ctx) {
      ctx.trapExit(true);
      const flagsError = checkFlags(start.flags);
      if (flagsError !== undefined) return stopInit({ supervisor_data: flagsError });
      const specError = checkChildSpecs(start);
      if (specError !== undefined) return stopInit(specError);
      const { flags } = start;
      const dynamic = flags.strategy === 'simple_one_for_one';
      const window = new RestartWindow(flags.intensity, flags.periodMs);
      const allowRestart = (thread: number | null): boolean => window.allow(ctx.clock.now(), thread);
      const report = new SupervisorReporter(ctx, start.id, dynamic);
      if (dynamic) return dynamicChildren(ctx, start, report, allowRestart);
      const children = new StaticChildren(ctx as SupervisorContext, flags, report, allowRestart);
      const failure = await children.startAll(start.children);
      if (failure === undefined) return children as Children;
      return stopInit({ shutdown: { failed_to_start_child: failure } });
    },
    handleCall: {
      // Not async: connections and requests are started here, and each promise costs.
      startChild: (children: Children, child) => {
        const started = children.startChild(child as ChildSpec);
        if (!isPromise(started)) return reply<StartChildResult, Children>(started, children);
        return started.then((result) => reply<StartChildResult, Children>(result, children));
      },
      terminateChild: async (children, id) => reply<ChildResult, Children>(await children.terminateChild(id), children),
      restartChild: async (children, id) =>
        reply<StartChildResult, Children>(
          children instanceof DynamicChildren ? notForDynamic : await children.restartChild(id),
          children,
        ),
      deleteChild: (children, id) =>
        reply<ChildResult, Children>(
          children instanceof DynamicChildren ? notForDynamic : children.deleteChild(id),
          children,
        ),
      whichChildren: (children) => reply<readonly ChildInfo[], Children>(children.which(), children),
      countChildren: (children) => reply(children.count(), children),
      getChildSpec: (children, id) => reply(children.getChildSpec(id), children),
    },
    handleCast: {
      tryAgainRestart: (children, key, ctx) =>
        after(
          children instanceof DynamicChildren ? children.retry(key as Pid) : children.retry(key as string),
          children,
          ctx,
        ),
    },
    handleInfo: {
      EXIT: (children, signal, ctx) =>
        // A message of user code that looks like a signal is none.
        signal instanceof ExitSignal ? after(children.exited(signal), children, ctx) : noreply(children),
    },
    terminate: (_reason, children: Children) => children.stopAll(),
    formatStatus: (children: Children) => ({ ...children.count(), children: children.which() }),
  },
);

function dynamicChildren(
  ctx: Context,
  { flags, children }: SupervisorStart,
  report: SupervisorReporter,
  allowRestart: AllowRestart,
): Children {
  return new DynamicChildren(ctx as SupervisorContext, children[0] as ChildSpec, flags, report, allowRestart);
}

function after(
  outcome: MaybePromise<Outcome>,
  children: Children,
  ctx: Context<SupervisorProtocol>,
): MaybePromise<HandlerResult<Children>> {
  if (isPromise(outcome)) return outcome.then((settled) => after(settled, children, ctx) as HandlerResult<Children>);
  if (outcome === 'continue') return noreply(children);
  if (outcome === 'shutdown') return stop('shutdown', children);
  // Through the mailbox, so that calls that came meanwhile are answered before the next try.
  ctx.cast(ctx.self, 'tryAgainRestart', outcome.retry);
  return noreply(children);
}
