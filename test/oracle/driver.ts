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
import { childSpec, dynamicArg, type Making } from './child-specs.ts';
import { parseReason, reasonText } from './reason-text.ts';
import {
  type Action,
  type During,
  isDynamic,
  joinPath,
  type SupervisorAction,
  type Trace,
  type TreeNode,
} from './scenario.ts';
import type { WorkerProtocol } from './worker.ts';

export interface Driver {
  readonly system: System;
  readonly making: Making;
  /** The process that holds the place now, dead or alive, or the one that held it as that attempt. */
  process(path: string, attempt?: number): Pid | undefined;
  /** How a trace names a process. */
  readonly sender: (pid: unknown) => string;
  /** What stands at a path of the tree that the scenario begins with. */
  node(path: string): TreeNode | undefined;
}

/** A finished text, or what the call returned: a process that it names may have no place in the tree yet. */
export type Result = string | Listed | ChildResult | StartChildResult;

/** What `whichChildren` of the supervisor with that path returned. */
interface Listed {
  readonly path: string;
  readonly rows: readonly ChildInfo[];
}

const forEver = { timeoutMs: 'infinity' } as const;

/** Does one action. `'noproc'`: the addressed process does not live. */
export async function act(driver: Driver, action: Exclude<Action, During | { op: 'sleep' }>): Promise<Result> {
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
    if (error instanceof CallError) return `exit ${reasonText(error.reason, driver.sender)}`;
    throw error;
  }
}

function living(driver: Driver, path: string): Pid | undefined {
  const pid = driver.process(path);
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

async function actOnSupervisor(driver: Driver, action: SupervisorAction, sup: Pid): Promise<Result> {
  const { system } = driver;
  switch (action.op) {
    case 'start_child': {
      const { spec, name } = action;
      if (spec !== undefined) return startChild(system, sup, childSpec(spec, action.sup, driver.making));
      const template = driver.node(joinPath(action.sup, String(name)));
      if (template === undefined) throw new TypeError(`${action.sup} has no template`);
      return startChild(system, sup, dynamicArg(template, action.sup, String(name), driver.making));
    }
    case 'terminate_child': {
      const { child, name, attempt } = action;
      const which = name === undefined ? child : driver.process(joinPath(action.sup, name), attempt);
      return which === undefined ? 'noproc' : terminateChild(system, sup, which);
    }
    case 'restart_child':
      return restartChild(system, sup, action.child);
    case 'delete_child':
      return deleteChild(system, sup, action.child);
    case 'which':
      return { path: action.sup, rows: await whichChildren(system, sup) };
    case 'count':
      return count(driver, sup);
  }
}

/** The rows of a supervisor; those of dynamic children have no order and no id. */
function listed(driver: Driver, { path, rows }: Listed): readonly string[] {
  const dynamic = isDynamic(driver.node(path));
  const texts = rows.map((row) => rowText(driver, row, dynamic));
  return dynamic ? texts.sort() : texts;
}

/** What a supervisor has at the end. */
export async function snapshot(driver: Driver, sup: Pid, path: string): Promise<Trace['final'][string]> {
  const rows = await whichChildren(driver.system, sup);
  return { which: listed(driver, { path, rows }), count: await count(driver, sup) };
}

async function count(driver: Driver, sup: Pid): Promise<string> {
  const { specs, active, supervisors, workers } = await countChildren(driver.system, sup);
  return `${specs} ${active} ${supervisors} ${workers}`;
}

function rowText(driver: Driver, { id, pid, type }: ChildInfo, dynamic: boolean): string {
  return `${dynamic ? '-' : id} ${pid instanceof Pid ? driver.sender(pid) : pid} ${type}`;
}

/** A result as a trace writes it; when all is at rest, so that every process it names has its place. */
export function resultText(driver: Driver, result: Result | readonly Result[]): string | readonly string[] {
  if (isSeveral(result)) return result.map((each) => oneLine(resultOf(driver, each)));
  return resultOf(driver, result);
}

function isSeveral(result: Result | readonly Result[]): result is readonly Result[] {
  return Array.isArray(result);
}

function oneLine(text: string | readonly string[]): string {
  return typeof text === 'string' ? text : text.join(', ');
}

function resultOf(driver: Driver, result: Result): string | readonly string[] {
  if (typeof result === 'object' && 'rows' in result) return listed(driver, result);
  if (typeof result === 'string' || !('ok' in result || 'error' in result)) return result;
  if ('ok' in result) return result.ok === undefined ? 'ok undefined' : `ok ${driver.sender(result.ok)}`;
  const { error } = result;
  if ('child' in result) return `error start ${reasonText(error, driver.sender)}`;
  const already = (error as { already_started?: Pid } | null)?.already_started;
  if (already !== undefined) return `error already_started ${driver.sender(already)}`;
  return `error ${reasonText(error, driver.sender)}`;
}
