/** Writes down what a system publishes about itself, and finds out which process is which node of the scenario. */

import {
  channels,
  type ExitReason,
  Pid,
  type ProcessExitEvent,
  type ProcessStart,
  type ProgressReport,
  type SupervisorReport,
} from '../../runtime/index.ts';
import { joinPath, lastId, parentPath } from './scenario.ts';
import { type WorkerEvent, workerEvents } from './worker.ts';

/** One incarnation of one node. */
export interface Instance {
  readonly path: string;
  /** Counts the start attempts of the path, from 1. */
  readonly attempt: number;
  readonly type: 'worker' | 'supervisor';
  /** Undefined for the root of the scenario. */
  readonly parent: Instance | undefined;
}

export type RecordedEvent =
  | { readonly kind: 'started'; readonly pid: Pid }
  | { readonly kind: 'exit'; readonly pid: Pid; readonly reason: ExitReason }
  | {
      readonly kind: 'mail';
      readonly pid: Pid;
      readonly tag: string;
      readonly from: unknown;
      readonly reason: ExitReason;
    }
  | { readonly kind: 'report'; readonly report: SupervisorReport };

/** Where events come from, in the order in which they happened. Returns a function that ends it. */
export type Listen = (channel: string, listener: (event: unknown) => void) => () => void;

export interface RecorderOptions {
  /** Whether a `simple_one_for_one` supervisor is at the path: those report no progress. */
  isDynamic(path: string): boolean;
  /** Counts the start of a supervisor. */
  countAttempt(path: string): number;
  /** What stands before all registered names. */
  readonly namePrefix: string;
}

export class Recorder {
  /** In the order in which they happened. */
  readonly events: RecordedEvent[] = [];
  /** Processes whose start was reported as good. */
  readonly started: Set<Pid> = new Set();
  /** With what reason `terminate` was entered. */
  readonly terminating: Map<Pid, ExitReason> = new Map();
  readonly instances: Map<Pid, Instance> = new Map();
  /** The latest incarnation of each path. */
  private readonly latest = new Map<string, Pid>();
  /** Told of every worker whose start is held. */
  onHold: (worker: Pid) => void = () => {};
  private readonly parents = new Map<Pid, Pid | null>();
  /** What a process is called by its parent; known of supervisors and workers of the scenario only. */
  private readonly ids = new Map<Pid, string>();
  /** Workers count their attempts themselves: how a start goes depends on it. */
  private readonly workerAttempts = new Map<Pid, number>();
  private unplaced: Pid[] = [];
  /** Those of whose end nothing was published yet. */
  readonly running: Set<Pid> = new Set();
  /** How many events there were, of any kind. */
  seen = 0;
  private top: Pid | undefined;
  private driver: Pid | undefined;
  private readonly options: RecorderOptions;
  private readonly unlisten: readonly (() => void)[];

  constructor(listen: Listen, options: RecorderOptions) {
    this.options = options;
    const on = <E>(name: string, handle: (event: E) => void): (() => void) =>
      listen(name, (event) => {
        this.seen++;
        handle(event as E);
      });
    this.unlisten = [
      on<ProcessStart>(channels.processStart, ({ pid, parent }) => {
        this.parents.set(pid, parent);
        this.unplaced.push(pid);
        this.running.add(pid);
      }),
      on<ProcessExitEvent>(channels.processExit, ({ pid, reason }) => {
        this.running.delete(pid);
        this.events.push({ kind: 'exit', pid, reason });
      }),
      on<SupervisorReport>(channels.supervisorReport, (report) => {
        // One that fails before any worker of it has begun is known by this alone.
        if (!this.ids.has(report.pid)) this.ids.set(report.pid, this.idOf(report.supervisor));
        this.events.push({ kind: 'report', report });
      }),
      on<ProgressReport>(channels.progressReport, ({ started: { id, pid } }) => {
        if (!(pid instanceof Pid) || id === undefined) throw new TypeError('a progress report without id or pid');
        this.ids.set(pid, id);
        this.hasStarted(pid);
      }),
      on<WorkerEvent>(workerEvents, (event) => this.workerSaid(event)),
    ];
  }

  stop(): void {
    for (const unlisten of this.unlisten) unlisten();
  }

  /** The process that was that attempt at a path, or the latest one. */
  process(path: string, attempt?: number): Pid | undefined {
    if (attempt === undefined) return this.latest.get(path);
    for (const [pid, each] of this.instances) if (each.path === path && each.attempt === attempt) return pid;
    return undefined;
  }

  /** From here on the children of `top` are the scenario's; what came before is forgotten. `driver` acts on them. */
  begin(top: Pid, driver: Pid | null | undefined = this.parents.get(top)): void {
    this.top = top;
    this.driver = driver ?? undefined;
    this.unplaced = [];
    this.running.clear();
    this.events.length = 0;
  }

  /** How a trace names whoever a signal came from. */
  sender(from: unknown): string {
    if (!(from instanceof Pid)) return 'other';
    const instance = this.instances.get(from);
    if (instance !== undefined) return instanceName(instance);
    if (from === this.top) return 'top';
    return from === this.driver ? 'driver' : 'other';
  }

  /**
   * Gives processes their place in the tree, as far as it is known by now: a supervisor is recognised by what its
   * parent says when it has started, or by the workers that were started under it. Its attempt is counted here.
   */
  place(): void {
    this.unplaced = this.unplaced.filter((pid) => {
      const path = this.pathOf(pid);
      if (path === undefined) return true;
      const counted = this.workerAttempts.get(pid);
      const type = counted === undefined ? 'supervisor' : 'worker';
      const parent = this.instances.get(this.parents.get(pid) as Pid);
      this.instances.set(pid, { path, attempt: counted ?? this.options.countAttempt(path), type, parent });
      this.latest.set(path, pid);
      return false;
    });
  }

  /** Who started a process. */
  parentOf(pid: Pid): Pid | undefined {
    return this.parents.get(pid) ?? undefined;
  }

  private pathOf(pid: Pid): string | undefined {
    const id = this.ids.get(pid);
    const parent = this.parents.get(pid);
    if (id === undefined || parent === null || parent === undefined) return undefined;
    if (parent === this.top) return id;
    const above = this.pathOf(parent);
    return above === undefined ? undefined : joinPath(above, id);
  }

  private workerSaid(event: WorkerEvent): void {
    const { pid } = event;
    if (event.kind === 'mail') {
      this.events.push(event);
    } else if (event.kind === 'terminate') {
      this.terminating.set(pid, event.reason);
    } else if (event.kind === 'init') {
      this.workerAttempts.set(pid, event.attempt);
      this.nameLineage(pid, event.path);
    } else if (event.kind === 'hold') {
      this.onHold(pid);
    } else if (this.options.isDynamic(parentPath(event.path))) {
      this.nameLineage(pid, event.path);
      this.hasStarted(pid);
    }
  }

  private nameLineage(lowest: Pid, lowestPath: string): void {
    let pid: Pid | null | undefined = lowest;
    for (let path = lowestPath; pid && path !== '' && !this.ids.has(pid); path = parentPath(path)) {
      this.ids.set(pid, lastId(path));
      pid = this.parents.get(pid);
    }
  }

  private hasStarted(pid: Pid): void {
    this.started.add(pid);
    this.events.push({ kind: 'started', pid });
  }

  /** A supervisor with a name reports under it: that is its id. */
  private idOf(supervisor: string): string {
    const { namePrefix } = this.options;
    return supervisor.startsWith(namePrefix) ? supervisor.slice(namePrefix.length) : supervisor;
  }
}

export function instanceName({ path, attempt }: Instance): string {
  return `${path}#${attempt}`;
}
