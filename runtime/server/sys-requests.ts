import type { Behaviour } from '../kernel/behaviour.ts';
import { BadArgError } from '../kernel/errors.ts';
import { type ExitReason, errorExit } from '../kernel/exit.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Message } from '../kernel/message.ts';
import type { PendingCall } from '../kernel/pending-call.ts';
import type { Process } from '../kernel/process.ts';
import { synchronous } from '../kernel/protocol.ts';
import { ExitSignal } from '../kernel/signals.ts';
import { SYS_LOG_SIZE } from '../limits.ts';
import { Debug, type DebugCommand } from './sys-debug.ts';

/** The tag of system requests (sys, "System Messages"): calls that every behaviour answers, whatever its protocol. */
export const SYSTEM_TAG = '$sys';

/** What a system request asks for. */
export type SystemCommand =
  | DebugCommand
  | { readonly request: 'get_state' | 'suspend' | 'resume' | 'get_status' }
  | { readonly request: 'replace_state'; readonly replace: (state: any) => unknown }
  /** With `wait` the call is answered by the exit of the process (gen_server:stop), else at once (sys:terminate). */
  | { readonly request: 'terminate'; readonly reason: ExitReason; readonly wait: boolean }
  | {
      readonly request: 'change_code';
      readonly behaviour: Behaviour;
      readonly oldVersion: unknown;
      readonly extra: unknown;
    };

/**
 * The payload of a system request; a class, so that a call with that tag from elsewhere is not taken for one: its tag
 * may come from outside.
 */
export class SystemRequest {
  readonly command: SystemCommand;

  constructor(command: SystemCommand) {
    this.command = command;
  }
}

/** The answer to a request whose function threw: nothing was changed. */
export class CallbackFailed {
  readonly reason: ExitReason;

  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

/** What the loop of a behaviour offers to system requests. */
export interface SystemSide {
  readonly process: Process;
  readonly kernel: Kernel;
  /** Set while somebody traces, logs or counts; the loop then reports its events to it. */
  debug: Debug | null;
  /** What `sys.getState` returns. */
  sysState(): unknown;
  /** Applies the function and keeps the result, which it returns. What the function throws leaves all as it was. */
  sysReplaceState(replace: (state: any) => unknown): unknown;
  /** What `sys.getStatus` shows of the state: through `formatStatus` if there is one. Must not throw. */
  sysStatus(): unknown;
  /** Runs `terminate` and ends the process; returns what a step of a runner returns. */
  sysTerminate(reason: ExitReason): unknown;
  /** Whether its code cannot be changed: it is the runtime's own. */
  readonly sealed?: boolean;
  /** Goes on with the code of another behaviour. A throw leaves all as it was. */
  sysChangeCode?(behaviour: Behaviour, oldVersion: unknown, extra: unknown): void;
}

export function isSystemRequest(message: Message): boolean {
  return message.payload instanceof SystemRequest && message.kind === 'call';
}

/** Whether a suspended process gets the message: system requests and the exit signal of its parent (sys:suspend/1). */
export function passesSuspension(process: Process, { kind, payload }: Message): boolean {
  if (payload instanceof SystemRequest) return kind === 'call';
  return payload instanceof ExitSignal && payload.from === process.parent;
}

/** Answers a system request: a step of the loop of a behaviour. */
export function handleSystem(side: SystemSide, message: Message): unknown {
  const { kernel, process } = side;
  const call = message.call as PendingCall;
  const { command } = message.payload as SystemRequest;
  if (command.request === 'terminate') {
    if (command.wait) kernel.deferCall(process, call);
    else kernel.answer(process.pid, call, 'ok');
    return side.sysTerminate(command.reason);
  }
  kernel.answer(process.pid, call, answer(side, command));
  return undefined;
}

function answer(side: SystemSide, command: Exclude<SystemCommand, { request: 'terminate' }>): unknown {
  switch (command.request) {
    case 'get_state':
      return guarded(() => side.sysState());
    case 'replace_state':
      return guarded(() => side.sysReplaceState((state) => synchronous(command.replace(state))));
    case 'get_status':
      return statusOf(side);
    case 'suspend':
      return suspend(side);
    case 'resume':
      return resume(side);
    case 'change_code':
      return changeCode(side, command);
    default:
      side.debug ??= new Debug(side.process, side.kernel);
      return side.debug.configure(command, () => {
        side.debug = null;
      });
  }
}

/** Debugging is for behaviours that answer sys; looked at before there is a process. */
export function checkTraceable(runner: object): void {
  if (!('sysState' in runner)) throw new BadArgError('the option debug is for behaviours that answer sys');
}

/** Debugging that a start asked for (gen_server, option debug). */
export function debugFromStart(runner: object, what: readonly ('trace' | 'log' | 'statistics')[]): void {
  const side = runner as SystemSide;
  for (const request of what) {
    if (request === 'log') answer(side, { request, flag: true, size: SYS_LOG_SIZE });
    else answer(side, { request, flag: true });
  }
}

function suspend(side: SystemSide): 'ok' {
  side.process.suspend();
  return 'ok';
}

function resume(side: SystemSide): 'ok' {
  if (side.process.suspended) side.process.resume();
  return 'ok';
}

function statusOf(side: SystemSide): unknown {
  const { process } = side;
  return {
    status: process.suspended ? 'suspended' : 'running',
    pid: process.pid,
    name: process.name,
    parent: process.parent,
    initialCall: process.initialCall,
    debug: side.debug === null ? [] : side.debug.installed,
    state: side.sysStatus(),
  };
}

function changeCode(side: SystemSide, command: Extract<SystemCommand, { request: 'change_code' }>): unknown {
  if (!side.process.suspended) return { error: 'not_suspended' };
  if (side.sysChangeCode === undefined || side.sealed === true) return { error: 'not_supported' };
  const { behaviour, oldVersion, extra } = command;
  const failure = guarded(() => side.sysChangeCode?.(behaviour, oldVersion, extra));
  return failure instanceof CallbackFailed ? { error: failure.reason } : 'ok';
}

function guarded(step: () => unknown): unknown {
  try {
    return step();
  } catch (error) {
    return new CallbackFailed(errorExit(error));
  }
}
