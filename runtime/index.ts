/** The public surface of the runtime: what is not named here is internal. */
export { type Agent, type AgentInit, type AgentProtocol, agent } from './agent.ts';
export type { Alias, AliasOptions } from './alias.ts';
export {
  type Application,
  type ApplicationCallbacks,
  type ApplicationStart,
  application,
  applicationController,
  ensureAllStarted,
  startApplication,
  stopApplication,
  whichApplications,
} from './application.ts';
export type {
  ApplicationInfo,
  ApplicationProtocol,
  ApplicationResult,
  BootApplication,
} from './application-controller.ts';
export type { Bag } from './bag.ts';
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
export type {
  CallOptions,
  Context,
  Messaging,
  ProcessFunction,
  ProcessOptions,
  ReceivedMessage,
  StartOptions,
} from './context.ts';
export { type EnterLoop, enterLoop } from './enter-loop.ts';
export {
  BadArgError,
  CallError,
  ExitedError,
  FunctionClauseError,
  NoProcError,
  StartError,
  TaskError,
} from './errors.ts';
export {
  type EventHandler,
  type EventHandlerCallbacks,
  type EventResult,
  eventHandler,
  type HandlerCallResult,
  type HandlerProtocol,
  type HandlerRef,
  type HandlerSwap,
  removeHandler,
  removeHandlerReply,
  type Swapped,
  swapHandler,
  swapHandlerReply,
} from './event-handler.ts';
export type { EventProtocol } from './event-manager.ts';
export {
  type CallExit,
  describeExit,
  type ErrorData,
  type ErrorExit,
  type ExitReason,
  errorExit,
  isErrorExit,
  isNormalExit,
  type TaskExit,
} from './exit.ts';
export { type GenEvent, genEvent } from './gen-event.ts';
export {
  type CallContext,
  type GenServer,
  type GenServerCallbacks,
  genServer,
  type SystemInfo,
} from './gen-server.ts';
export { type GenStatem, type GenStatemCallbacks, genStatem } from './gen-statem.ts';
export type { AddResult, HandlerReply, HandlerState } from './installed-handlers.ts';
export type { MailboxPolicy } from './mailbox-bound.ts';
export { abcast, type MultiCallResult, multiCall } from './multi-call.ts';
export {
  type PartitionKey,
  type PartitionOptions,
  type PartitionSupervisor,
  partitionSupervisor,
} from './partition-supervisor.ts';
export { type Pg, type PgEvent, pg } from './pg.ts';
export { type Dest, type From, type Name, name, Pid, type Ref } from './pid.ts';
export type { Port } from './port.ts';
export type { StartMonitorResult, StartResult } from './process.ts';
export type { ProcessInfo } from './process-info.ts';
export type { Call, CallPayload, CallReply, CallTag, MaybePromise, Payload, Protocol, Tag } from './protocol.ts';
export { type Registry, type RegistryOptions, registry, type UniqueRegistry } from './registry.ts';
export type { RegistryEntry } from './registry-entries.ts';
export type { RegistryListenerInfo } from './registry-server.ts';
export {
  checkResponse,
  type LabelledOutcome,
  type Outcome,
  type RequestId,
  type RequestIds,
  type Response,
  receiveResponse,
  reqidsAdd,
  reqidsNew,
  reqidsSize,
  reqidsToList,
  waitResponse,
} from './request.ts';
export type { AutoShutdown, RestartType, Strategy } from './restart.ts';
export type { CounterUpdate } from './row-update.ts';
export {
  type CallResult,
  continueWith,
  type HandlerResult,
  hibernate,
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
export { stopServer } from './server-stop.ts';
export type { SortedRange } from './sorted-map.ts';
export {
  changeCallbackModule,
  type EnterAction,
  type EventAction,
  eventTimeout,
  genericTimeout,
  nextEvent,
  popCallbackModule,
  pushCallbackModule,
  type ReplyAction,
  replyTo,
  type StatemAction,
  stateTimeout,
  type TimeoutOptions,
  type TimeoutTime,
} from './statem-action.ts';
export type { EventType, StatemProtocol, TimeoutType } from './statem-protocol.ts';
export {
  initState,
  keepState,
  keepStateAndData,
  nextState,
  repeatState,
  repeatStateAndData,
  type StatemEnterResult,
  type StatemEventResult,
  type StatemInit,
  type StatemResult,
  stopAndReply,
} from './statem-result.ts';
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
export { type Sys, type SysStatus, sys } from './sys.ts';
export type { DebugEvent, DebugFunction, SysStatistics } from './sys-debug.ts';
export { type System, type SystemOptions, startSystem } from './system.ts';
export type { OrderedTable, Table } from './table.ts';
export type { TableInfo, TableOptions, TableTransfer, TableType, Tid } from './table-data.ts';
export type { RowMatch, TableContinuation, TablePage } from './table-pages.ts';
export type { NewTable, OpenTable } from './table-types.ts';
export { type TaskApi, type TaskWait, task, type YieldManyOptions } from './task.ts';
export type { Task, TaskOutcome } from './task-handle.ts';
export type { TaskFunction } from './task-runner.ts';
export type { TaskStreamOptions } from './task-stream.ts';
export { type TaskSupervisor, type TaskSupervisorOptions, taskSupervisor } from './task-supervisor.ts';
export {
  type ApplicationReport,
  type CrashReport,
  channels,
  type EventHandlerReport,
  type MailboxWarning,
  type ProcessExitEvent,
  type ProcessStart,
  type ProgressReport,
  type ReportedChild,
  type SupervisorReport,
  type SysTrace,
  type UnexpectedMessage,
} from './telemetry.ts';
export type { ViaCaller, ViaName, ViaRegistry } from './via.ts';
