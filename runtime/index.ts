/** The public surface of the runtime: what is not named here is internal. */

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
} from './application/application.ts';
export type {
  ApplicationInfo,
  ApplicationProtocol,
  ApplicationResult,
  BootApplication,
} from './application/application-controller.ts';
export type { Clock, TimerHandle } from './clock.ts';
export { systemClock } from './clock.ts';
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
} from './event/event-handler.ts';
export type { EventProtocol } from './event/event-manager.ts';
export { type GenEvent, genEvent } from './event/gen-event.ts';
export type { AddResult, HandlerReply, HandlerState } from './event/installed-handlers.ts';
export type { Alias, AliasOptions } from './kernel/alias.ts';
export type { Behaviour, ModuleMeta } from './kernel/behaviour.ts';
export type {
  CallOptions,
  Context,
  Messaging,
  ProcessFunction,
  ProcessOptions,
  ReceivedMessage,
  StartOptions,
} from './kernel/context.ts';
export {
  BadArgError,
  CallError,
  ExitedError,
  FunctionClauseError,
  NoProcError,
  StartError,
  SystemLimitError,
  TaskError,
  UndefError,
} from './kernel/errors.ts';
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
} from './kernel/exit.ts';
export { importModule } from './kernel/imports.ts';
export type { MailboxPolicy } from './kernel/mailbox-bound.ts';
export { type Dest, type From, type Name, name, Pid, type Ref } from './kernel/pid.ts';
export type { Port } from './kernel/port.ts';
export type { StartMonitorResult, StartResult } from './kernel/process.ts';
export type { ProcessInfo } from './kernel/process-info.ts';
export type { Call, CallPayload, CallReply, CallTag, MaybePromise, Payload, Protocol, Tag } from './kernel/protocol.ts';
export { RefMap } from './kernel/ref-map.ts';
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
} from './kernel/request.ts';
export type { ViaCaller, ViaName, ViaRegistry } from './kernel/via.ts';
export { type Pg, type PgEvent, pg } from './registry/pg.ts';
export { type Registry, type RegistryOptions, registry, type UniqueRegistry } from './registry/registry.ts';
export type { RegistryEntry } from './registry/registry-entries.ts';
export type { RegistryListenerInfo } from './registry/registry-server.ts';
export { type Agent, type AgentInit, type AgentProtocol, agent } from './server/agent.ts';
export { type EnterLoop, enterLoop } from './server/enter-loop.ts';
export {
  type CallContext,
  type GenServer,
  type GenServerCallbacks,
  genServer,
  type SystemInfo,
} from './server/gen-server.ts';
export { abcast, type MultiCallResult, multiCall } from './server/multi-call.ts';
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
} from './server/server-result.ts';
export { stopServer } from './server/server-stop.ts';
export { type Sys, type SysStatus, sys } from './server/sys.ts';
export type { DebugEvent, DebugFunction, SysStatistics } from './server/sys-debug.ts';
export { type GenStatem, type GenStatemCallbacks, genStatem } from './statem/gen-statem.ts';
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
} from './statem/statem-action.ts';
export type { EventType, StatemProtocol, TimeoutType } from './statem/statem-protocol.ts';
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
} from './statem/statem-result.ts';
export {
  type ChildOptions,
  type ChildSpec,
  child,
  type Shutdown,
  type SpecError,
  type SupervisorFlags,
} from './supervisor/child-spec.ts';
export {
  type PartitionKey,
  type PartitionOptions,
  type PartitionSupervisor,
  partitionSupervisor,
} from './supervisor/partition-supervisor.ts';
export type { AutoShutdown, RestartType, Strategy } from './supervisor/restart.ts';
export type { TreeNode } from './supervisor/supervision-tree.ts';
export {
  countChildren,
  deleteChild,
  getChildSpec,
  restartChild,
  startChild,
  startChildAtOnce,
  supervisor,
  terminateChild,
  whichChildren,
} from './supervisor/supervisor.ts';
export type {
  ChildCount,
  ChildInfo,
  ChildResult,
  StartChildResult,
  SupervisorProtocol,
} from './supervisor/supervisor-protocol.ts';
export { type System, type SystemOptions, startSystem } from './system.ts';
export type { Bag } from './table/bag.ts';
export type { CounterUpdate } from './table/row-update.ts';
export type { SortedRange } from './table/sorted-map.ts';
export type { OrderedTable, Table } from './table/table.ts';
export type { TableInfo, TableOptions, TableTransfer, TableType, Tid } from './table/table-data.ts';
export type { RowMatch, TableContinuation, TablePage } from './table/table-pages.ts';
export type { NewTable, OpenTable } from './table/table-types.ts';
export { type TaskApi, type TaskWait, task, type YieldManyOptions } from './task/task.ts';
export type { Task, TaskOutcome } from './task/task-handle.ts';
export type { TaskFunction } from './task/task-runner.ts';
export type { TaskStreamOptions } from './task/task-stream.ts';
export { type TaskSupervisor, type TaskSupervisorOptions, taskSupervisor } from './task/task-supervisor.ts';
export {
  type ApplicationReport,
  type ComputeFault,
  type CrashReport,
  channels,
  type EventHandlerReport,
  type MailboxWarning,
  type MessageLost,
  type ProcessExitEvent,
  type ProcessStart,
  type ProgressReport,
  type ReportedChild,
  type SupervisorReport,
  type SysTrace,
  type ThreadExit,
  type UnexpectedMessage,
} from './telemetry.ts';
export { ChannelFullError } from './thread/channel.ts';
export type { Placement } from './thread/directory.ts';
export { NotTransferableError } from './thread/not-transferable.ts';
export type { ThreadGroupOptions, ThreadsOptions, WorkersOptions } from './thread/thread-plan.ts';
export { transfer } from './thread/transfer.ts';
export type { ResourceLimits } from './thread/worker-thread.ts';
