import {
  type Context,
  type ExitReason,
  type GenServer,
  genServer,
  noreply,
  type Ref,
  stop,
  stopInit,
} from '../../runtime/index.ts';
import type { CarrierProtocol, CarrierStart } from '../client-transport.ts';
import type { ChildProcessLimits } from '../limits.ts';
import { CarrierOutlet } from './carrier-outlet.ts';
import { type ChildExit, ChildPort } from './child-port.ts';
import type { ChildCommand } from './child-process.ts';

export interface ChildCarrierStart {
  readonly command: ChildCommand;
  readonly limits: ChildProcessLimits;
}

interface Protocol extends CarrierProtocol {
  readonly info: {
    readonly exited: ChildExit;
    readonly flush_over_after: number;
    readonly flush_over: void;
  };
}

interface State {
  readonly port: ChildPort;
  readonly outlet: CarrierOutlet;
  readonly limits: ChildProcessLimits;
  readonly ownerRef: Ref;
  exit: ChildExit | undefined;
}

type Ctx = Context<Protocol>;

/** Owns one child process and its pipes. It exits with the child: `{ shutdown: { child_exit } }`. */
export const ChildCarrier: GenServer<Protocol, readonly [ChildCarrierStart, CarrierStart]> = genServer(
  import.meta,
  'ChildCarrier',
  {
    async init([{ command, limits }, { owner }], ctx) {
      ctx.trapExit(true); // so that a supervisor's stop runs terminate, which has the ladder
      ctx.setLabel(`carrier of ${command.command}`);
      const outlet = new CarrierOutlet(ctx, owner, limits.waitingTextsMax);
      const port = new ChildPort(command, outlet, limits);
      ctx.openPort({
        close: () => {
          outlet.detach();
          port.close();
        },
      });
      try {
        await port.started();
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        return stopInit({ child_start: { code, message } });
      }
      const state: State = { port, outlet, limits, ownerRef: ctx.monitor(owner), exit: undefined };
      return state;
    },
    handleCast: {
      send: (state: State, { message }) => {
        if (message === undefined || state.port.send(message)) return noreply(state);
        return stop({ shutdown: { slow_reader: { limitBytes: state.limits.queuedBytesMax } } }, state);
      },
      abort: (state: State) => noreply(state),
      taken: (state: State, count) => {
        state.outlet.taken(count);
        state.port.pump();
        return noreply(state);
      },
      close: (state: State) => stop('normal', state),
    },
    handleInfo: {
      exited: (state: State, exit) => {
        state.exit = exit;
        return stop({ shutdown: exit }, state);
      },
      flush_over_after: (state: State, delayMs, ctx) => {
        ctx.sendAfter(delayMs, 'flush_over');
        return noreply(state);
      },
      flush_over: (state: State) => {
        state.port.reportExit();
        return noreply(state);
      },
      DOWN: (state: State, { ref }) => (ref === state.ownerRef ? stop('normal', state) : noreply(state)),
      EXIT: (state: State) => noreply(state),
    },
    terminate: (_reason: ExitReason, state: State, ctx) => shutDown(state, ctx),
    formatStatus: ({ port: { child }, exit }: State) => ({ pid: child.pid, exit }),
  },
);

/** End of input, SIGTERM, SIGKILL; each step only if the one before was not enough. */
async function shutDown({ port, limits, exit }: State, ctx: Ctx): Promise<void> {
  if (exit !== undefined) return;
  port.endInput();
  if (await exited(limits.endOfInputMs, ctx)) return;
  port.signal('SIGTERM');
  await exited(limits.sigtermMs, ctx);
  // The port is closed next: SIGKILL for whoever is left.
}

async function exited(timeoutMs: number, ctx: Ctx): Promise<boolean> {
  const over = ctx.clock.now() + timeoutMs;
  for (let leftMs = timeoutMs; leftMs > 0; leftMs = over - ctx.clock.now()) {
    const message = await ctx.receive(({ kind }) => kind !== 'call', leftMs);
    if (message === 'timeout') return false;
    if (message.tag === 'exited') return true;
    if (message.tag === 'flush_over_after') return true; // it has exited; only its output is held open
  }
  return false;
}
