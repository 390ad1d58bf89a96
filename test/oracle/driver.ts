/** Carries out the actions of a scenario from outside its tree, with the calls that every user of the library has. */

import {
  CallError,
  type ChildInfo,
  type ChildResult,
  countChildren,
  deleteChild,
  Pid,
  restartChild,
  type StartChildResult,
  type System,
  startChild,
  terminateChild,
  whichChildren,
} from '../../runtime/index.ts';
import { childSpec } from './child-specs.ts';
import { parseReason, reasonText } from './reason-text.ts';
import { type Action, joinPath } from './scenario.ts';
import type { WorkerProtocol } from './worker.ts';

export interface Driver {
  readonly system: System;
  readonly jitter: number;
  /** The process that holds the place now, dead or alive. */
  latest(path: string): Pid | undefined;
  /** How a trace names a process. */
  sender(pid: unknown): string;
  isDynamic(path: string): boolean;
}

/** A finished text, or what the call returned: a process that it names may have no place in the tree yet. */
export type Result = string | readonly string[] | ChildResult | StartChildResult;

const forEver = { timeoutMs: 'infinity' } as const;

/** Does one action. `'noproc'`: the addressed process does not live. */
export async function act(driver: Driver, action: Exclude<Action, { op: 'sleep' }>): Promise<Result> {
  try {
    if ('sup' in action) {
      const sup = living(driver, action.sup);
      return sup === undefined ? 'noproc' : await actOnSupervisor(driver, action, sup);
    }
    if ('from' in action) {
      const from = living(driver, action.from);
      const to = living(driver, action.to);
      if (from === undefined || to === undefined) return 'noproc';
      driver.system.cast<WorkerProtocol, typeof action.op>(from, action.op, to);
      return 'ok';
    }
    const target = living(driver, action.target);
    return target === undefined ? 'noproc' : await actOnProcess(driver.system, action, target);
  } catch (error) {
    if (error instanceof CallError) return `exit ${reasonText(error.reason)}`;
    throw error;
  }
}

function living(driver: Driver, path: string): Pid | undefined {
  const pid = driver.latest(path);
  return pid !== undefined && driver.system.isAlive(pid) ? pid : undefined;
}

type WorkerPid = Pid<WorkerProtocol>;

async function actOnProcess(
  system: System,
  action: Extract<Action, { target: string }>,
  target: WorkerPid,
): Promise<string> {
  switch (action.op) {
    case 'ping':
      return `pong ${await system.call(target, 'ping', undefined, forEver)}`;
    case 'link_dead':
    case 'monitor_dead':
      system.cast<WorkerProtocol, typeof action.op>(target, action.op, undefined);
      return 'ok';
    case 'kill':
      system.exitProcess(target, parseReason(action.reason));
      return 'ok';
    case 'call_stop':
      return await system.call(target, 'stop', parseReason(action.reason), forEver);
    case 'call_stop_reply':
      return await system.call(target, 'stop_reply', parseReason(action.reason), forEver);
    case 'call_crash':
      return await system.call(target, 'crash', action.reason, forEver);
    case 'stop':
    case 'crash':
    case 'raise_exit':
    case 'exit_self':
    case 'buddy':
      system.cast<WorkerProtocol, typeof action.op>(target, action.op, parseReason(action.reason));
      return 'ok';
  }
}

async function actOnSupervisor(driver: Driver, action: Extract<Action, { sup: string }>, sup: Pid): Promise<Result> {
  const { system } = driver;
  switch (action.op) {
    case 'start_child': {
      const { spec, name } = action;
      const what = spec === undefined ? name : childSpec(spec, action.sup, driver.jitter);
      return startChild(system, sup, what);
    }
    case 'terminate_child': {
      const { child, name } = action;
      const which = name === undefined ? child : driver.latest(joinPath(action.sup, name));
      return which === undefined ? 'noproc' : terminateChild(system, sup, which);
    }
    case 'restart_child':
      return restartChild(system, sup, action.child);
    case 'delete_child':
      return deleteChild(system, sup, action.child);
    case 'which':
      return which(driver, sup, action.sup);
    case 'count':
      return count(driver, sup);
  }
}

/** The rows of a supervisor; those of dynamic children have no order and no id. */
export async function which(driver: Driver, sup: Pid, path: string): Promise<readonly string[]> {
  const dynamic = driver.isDynamic(path);
  const rows = (await whichChildren(driver.system, sup)).map((row) => rowText(driver, row, dynamic));
  return dynamic ? rows.sort() : rows;
}

export async function count(driver: Driver, sup: Pid): Promise<string> {
  const { specs, active, supervisors, workers } = await countChildren(driver.system, sup);
  return `${specs} ${active} ${supervisors} ${workers}`;
}

function rowText(driver: Driver, { id, pid, type }: ChildInfo, dynamic: boolean): string {
  return `${dynamic ? '-' : id} ${pid instanceof Pid ? driver.sender(pid) : pid} ${type}`;
}

/** A result as a trace writes it; when all is at rest, so that every process it names has its place. */
export function resultText(driver: Driver, result: Result): string | readonly string[] {
  if (typeof result === 'string' || !('ok' in result || 'error' in result)) return result;
  if ('ok' in result) return result.ok === undefined ? 'ok undefined' : `ok ${driver.sender(result.ok)}`;
  const { error } = result;
  const already = (error as { already_started?: Pid } | null)?.already_started;
  if (already !== undefined) return `error already_started ${driver.sender(already)}`;
  return `error ${'child' in result ? 'start ' : ''}${reasonText(error)}`;
}
