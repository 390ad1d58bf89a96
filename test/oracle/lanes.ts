/** The canonical form of what happened in one step: per lane the events that are ordered by cause, the rest sorted. */

import { Pid } from '../../runtime/index.ts';
import { reasonText } from './reason-text.ts';
import { type Instance, instanceName, type RecordedEvent } from './recorder.ts';
import { lastId } from './scenario.ts';

export interface LaneContext {
  readonly instances: ReadonlyMap<Pid, Instance>;
  readonly started: ReadonlySet<Pid>;
  readonly terminating: ReadonlyMap<Pid, unknown>;
  readonly sender: (from: unknown) => string;
  /** The id of the template of a `simple_one_for_one` supervisor; undefined for other paths. */
  template(path: string): string | undefined;
  /** Whether each child has a lane of its own. */
  readonly perChild: boolean;
}

type Lanes = Map<string, string[]>;

/** Undefined if nothing happened. */
export function lanesOf(events: readonly RecordedEvent[], context: LaneContext): Record<string, string[]> | undefined {
  const lanes: Lanes = new Map();
  const exited = new Set<Pid>();
  for (const event of events) if (event.kind === 'exit') exited.add(event.pid);
  for (const event of events) {
    if (event.kind === 'report') addReport(lanes, event, context);
    else if (event.kind === 'mail') addMail(lanes, event, context, exited);
    else addLife(lanes, event, context);
  }
  if (lanes.size === 0) return undefined;
  return Object.fromEntries([...lanes].map(([lane, lines]) => [lane, canonical(lane, lines, context)]));
}

function add(lanes: Lanes, lane: string, line: string): void {
  const lines = lanes.get(lane);
  if (lines === undefined) lanes.set(lane, [line]);
  else lines.push(line);
}

/** Where the parent of an instance tells of it. */
function parentLane({ path, parent }: Instance, context: LaneContext): string {
  return parent === undefined ? 'top' : childLane(instanceName(parent), lastId(path), context);
}

function childLane(supervisor: string, child: string, context: LaneContext): string {
  return context.perChild ? `${supervisor}:${child}` : supervisor;
}

function addLife(
  lanes: Lanes,
  event: Extract<RecordedEvent, { kind: 'started' | 'exit' }>,
  context: LaneContext,
): void {
  const { pid } = event;
  const instance = context.instances.get(pid);
  if (instance === undefined) return;
  const lane = parentLane(instance, context);
  const name = `${lastId(instance.path)}#${instance.attempt}`;
  const isSupervisor = instance.type === 'supervisor';
  if (event.kind === 'started') {
    if (isSupervisor) add(lanes, instanceName(instance), 'up');
    add(lanes, lane, `start ${name}`);
    return;
  }
  const reason = reasonText(event.reason, context.sender);
  if (isSupervisor) add(lanes, instanceName(instance), `down ${reason}`);
  if (context.started.has(pid)) {
    const entered = context.terminating.has(pid)
      ? ` T=${reasonText(context.terminating.get(pid), context.sender)}`
      : '';
    add(lanes, lane, `exit ${name} ${reason}${entered}`);
  } else {
    add(lanes, lane, event.reason === 'normal' ? `ignore ${name}` : `fail ${name} ${reason}`);
  }
}

function addReport(lanes: Lanes, event: Extract<RecordedEvent, { kind: 'report' }>, context: LaneContext): void {
  const { pid, errorContext, reason, offender } = event.report;
  const supervisor = context.instances.get(pid);
  if (supervisor === undefined) return;
  const reported = offender.pid instanceof Pid ? context.instances.get(offender.pid) : undefined;
  const id = reported === undefined ? (offender.id ?? context.template(supervisor.path) ?? '-') : lastId(reported.path);
  const count = offender.count === undefined ? '' : ` n=${offender.count}`;
  const line = `report ${errorContext} ${id} ${reasonText(reason, context.sender)}${count}`;
  add(lanes, childLane(instanceName(supervisor), id, context), line);
}

/** Whether a process that dies has still read its mail is a matter of timing: left out. */
function addMail(
  lanes: Lanes,
  event: Extract<RecordedEvent, { kind: 'mail' }>,
  context: LaneContext,
  exited: ReadonlySet<Pid>,
): void {
  const instance = context.instances.get(event.pid);
  if (instance === undefined || exited.has(event.pid)) return;
  const reason = reasonText(event.reason, context.sender);
  add(lanes, `@${instanceName(instance)}`, `${event.tag} ${context.sender(event.from)} ${reason}`);
}

function canonical(lane: string, lines: readonly string[], context: LaneContext): string[] {
  if (lane.startsWith('@')) return [...lines].sort();
  const down = lines.findIndex((line) => line.startsWith('down'));
  const end = down === -1 ? lines.length : down + 1;
  const dynamic = context.template(lane.slice(0, lane.indexOf('#'))) !== undefined;
  const ordered = lines.slice(0, end);
  // What orphans do after their supervisor was killed has no order among them.
  return [...(dynamic ? sortRuns(ordered) : ordered), ...lines.slice(end).sort()];
}

/** Dynamic children are stopped all at once: exits in a row, and reports of failed stops in a row, are sets. */
function sortRuns(lines: readonly string[]): string[] {
  const sorted: string[] = [];
  let run: string[] = [];
  let kind: string | undefined;
  for (const line of lines) {
    const next = ['exit ', 'report shutdown_error'].find((start) => line.startsWith(start));
    if (next === undefined || next !== kind) {
      sorted.push(...run.sort());
      run = [];
    }
    kind = next;
    run.push(line);
  }
  return [...sorted, ...run.sort()];
}
