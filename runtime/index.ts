/** The public surface of the runtime: what is not named here is internal. */
export type { Behaviour, ModuleMeta } from './behaviour.ts';
export {
  type ChildOptions,
  type ChildSpec,
  child,
  type Shutdown,
  type SpecError,
  type SupervisorFlags,
} from './child-spec.ts';
export type { Clock, TimerHandle } from './clock.ts';
export type { CallOptions, Context, Messaging, ProcessFunction, ReceivedMessage, StartOptions } from './context.ts';
export { BadArgError, CallError, ExitedError, FunctionClauseError, NoProcError, StartError } from './errors.ts';
export {
  type CallExit,
  describeExit,
  type ErrorData,
  type ErrorExit,
  type ExitReason,
  errorExit,
  isErrorExit,
  isNormalExit,
} from './exit.ts';
export {
  type CallContext,
  type GenServer,
  type GenServerCallbacks,
  genServer,
  type SystemInfo,
} from './gen-server.ts';
export { type Dest, type From, type Name, name, Pid, type Ref } from './pid.ts';
export type { Port } from './port.ts';
export type { StartResult } from './process.ts';
export type { Call, CallPayload, CallReply, CallTag, MaybePromise, Payload, Protocol, Tag } from './protocol.ts';
export type { AutoShutdown, RestartType, Strategy } from './restart.ts';
export {
  type CallResult,
  continueWith,
  type HandlerResult,
  type InitOk,
  type InitResult,
  idleTimeout,
  ignore,
  initOk,
  type Next,
  noreply,
  reply,
  stop,
  stopInit,
  stopReply,
} from './server-result.ts';
export type { TreeNode } from './supervision-tree.ts';
export {
  countChildren,
  deleteChild,
  getChildSpec,
  restartChild,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from './supervisor.ts';
export type {
  ChildCount,
  ChildInfo,
  ChildResult,
  StartChildResult,
  SupervisorProtocol,
} from './supervisor-protocol.ts';
export { type System, type SystemOptions, startSystem } from './system.ts';
export type { Table, TableOptions } from './table.ts';
export {
  type CrashReport,
  channels,
  type ProcessExitEvent,
  type ProcessStart,
  type ProgressReport,
  type ReportedChild,
  type SupervisorReport,
  type UnexpectedMessage,
} from './telemetry.ts';
