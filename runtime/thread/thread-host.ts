import { availableParallelism } from 'node:os';
import type { Clock, TimerHandle } from '../clock.ts';
import { StartError } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import {
  CHANNEL_SPIN_US,
  PROCESSES_MAX,
  RESERVED_PROCESSES_MAX,
  SPARE_AGAIN_MS,
  SPARE_DELAY_MS,
  SPARE_MODULES_MAX,
  STALL_MS,
  THREAD_RESTART_DELAY_MAX_MS,
  THREAD_RESTART_DELAY_MS,
  THREAD_STOP_MS,
} from '../limits.ts';
import { threadExit } from '../telemetry.ts';
import { openChannel } from './channel.ts';
import type { Assignment, FromWorker, ToWorker } from './control.ts';
import { Directory, type ThreadDescription } from './directory.ts';
import { wantedEvents } from './event-relay.ts';
import { isolatedThread } from './isolated-thread.ts';
import { SystemMemory } from './system-memory.ts';
import { reasonOfEnd, restartDelayMs, type ThreadEnd } from './thread-end.ts';
import { ThreadMemory } from './thread-memory.ts';
import { ThreadNode } from './thread-node.ts';
import type { ThreadGroup, ThreadPlan } from './thread-plan.ts';
import { Watchdog } from './watchdog.ts';
import { type WorkerListener, WorkerThread } from './worker-thread.ts';

/** The workers of a system: it starts them, sees them end, and puts others in their place. */
export class ThreadHost implements WorkerListener {
  private readonly kernel: Kernel;
  private readonly clock: Clock;
  private readonly plan: ThreadPlan;
  private readonly memory: SystemMemory;
  private readonly node: ThreadNode;
  private readonly watchdog: Watchdog;
  private readonly running = new Map<number, WorkerThread>();
  /** All that have not ended, spares too. */
  private readonly workers = new Set<WorkerThread>();
  private readonly spares = new Map<ThreadGroup, WorkerThread>();
  /** What the threads of a group have imported by name. */
  private readonly modules = new Map<ThreadGroup, Set<string>>();
  /** How often in a row a place in a group ended before it ran: `cpu 0`. */
  private readonly failures = new Map<string, number>();
  private readonly delayed = new Set<TimerHandle>();
  /** What those are told that others know already, but that are started later. */
  private readonly unlaunched = new Map<number, ToWorker[]>();
  private events: readonly string[] = wantedEvents();
  private started = false;
  private stopping = false;

  constructor(kernel: Kernel, plan: ThreadPlan) {
    this.kernel = kernel;
    this.clock = kernel.clock;
    this.plan = plan;
    this.memory = new SystemMemory(SystemMemory.allocate(), kernel.thread);
    this.watchdog = new Watchdog(kernel.clock, plan, {
      looked: () => this.tellEvents(),
      rests: (is) => {
        // What is sent to a thread at rest gives it something to do.
        this.node.channels.onSend = is ? () => this.watchdog.stir() : null;
      },
    });
    this.node = new ThreadNode({
      kernel,
      memory: this.memory,
      directory: new Directory(plan.placements, plan.busyMs, kernel.clock.now),
      own: describe(kernel.thread, null, 0),
      spinUs: this.spinUs,
      connect: (to, end) => this.tell(to, { kind: 'attach', from: kernel.thread, end }),
      isolated: () => this.startIsolated(isolatedThread(this.memory)),
    });
  }

  /** Settles when all threads of all groups run; rejects if one cannot. */
  async start(): Promise<void> {
    for (const [name, group] of this.plan.groups) {
      for (let position = 0; position < group.count; position++) this.startInGroup(name, group, position);
    }
    try {
      await Promise.all([...this.running.values()].map(({ readiness }) => readiness));
    } catch (end) {
      await this.stop();
      throw new StartError({ failed_to_start_thread: reasonOfEnd(end as ThreadEnd) });
    }
    this.started = true;
    // Not now: a program that ends soon, or is about to answer first, has better things to do.
    this.later(SPARE_DELAY_MS, () => {
      for (const group of this.plan.groups.values()) this.keepSpare(group);
    });
  }

  /** The system is about to stop: it must not wait for a thread that does not yield, even if it may do so for ever. */
  prepareToStop(): void {
    this.watchdog.watchAll(STALL_MS);
  }

  /** Ends all workers: they are asked first, and terminated if they do not end in time. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.watchdog.stop();
    for (const timer of this.delayed) this.clock.clearTimer(timer);
    const workers = [...this.workers];
    for (const worker of workers) worker.stop();
    const late = this.clock.setTimer(() => {
      for (const worker of this.workers) void worker.terminate();
    }, THREAD_STOP_MS);
    await Promise.all(workers.map(({ exited }) => exited));
    this.clock.clearTimer(late);
    this.node.channels.close();
  }

  told(worker: WorkerThread, message: FromWorker): void {
    const from = worker.thread as number;
    switch (message.kind) {
      case 'connect':
        if (message.to === this.kernel.thread) this.node.attach(from, message.end);
        else this.tell(message.to, { kind: 'attach', from, end: message.end });
        return;
      case 'isolate':
        if (this.stopping) {
          this.memory.markDead(message.thread.thread, true);
          return;
        }
        this.node.directory.add(message.thread);
        this.startIsolated(message.thread);
        return;
      case 'stirs':
        this.watchdog.stir();
        return;
      case 'imported':
        this.imported(worker, message.module);
        return;
      case 'idle':
        worker.isIdle = true;
        this.end(worker);
        return;
      case 'ready':
        this.failures.delete(placeOf(worker));
        this.watchdog.watch(worker);
        if (this.started) this.later(SPARE_AGAIN_MS, () => this.keepSpare(this.groupOf(worker)));
        return;
      case 'loaded':
      case 'leaving':
        return;
    }
  }

  /** New processes are put elsewhere; if there is no other thread, a spare joins the group, to help out. */
  busy(worker: WorkerThread, is: boolean): void {
    const { assignment } = worker;
    const { thread, group: name } = (assignment as Assignment).own;
    if (this.running.get(thread) !== worker) return; // it is leaving
    this.node.directory.setBusy(thread, is);
    const group = name === null ? undefined : this.plan.groups.get(name);
    // A thread that joins would have to import it too.
    if (worker.imports) return;
    if (!is || name === null || group === undefined || this.stopping) return;
    if (group.spares > 0 && this.node.directory.sizeOf(name) === group.count) {
      this.startInGroup(name, group, group.count);
    }
  }

  stalled(worker: WorkerThread): void {
    this.end(worker);
  }

  exited(worker: WorkerThread): void {
    this.workers.delete(worker);
    this.watchdog.forget(worker);
  }

  ended(worker: WorkerThread, end: ThreadEnd): void {
    // Its listeners of `exit` are code of users: they have that long.
    if (!worker.hasExited) this.later(THREAD_STOP_MS, () => void worker.terminate());
    const { assignment } = worker;
    if (assignment === undefined) {
      for (const [group, spare] of this.spares) if (spare === worker) this.spares.delete(group);
      return;
    }
    const { thread, group, position } = assignment.own;
    this.running.delete(thread);
    const running = end.stalled ? this.node.runningOn(thread) : undefined;
    const reason = reasonOfEnd(end);
    this.memory.markDead(thread, worker.hasExited);
    this.memory.names.releaseAll(thread);
    if (!this.stopping && group !== null) this.replace(worker, group, position);
    if (threadExit.hasSubscribers && !this.stopping && !end.idle) {
      const { processCount: processes, isReady: ready } = worker;
      const { stalled } = end;
      const order = this.memory.nextNumber();
      threadExit.publish({
        system: this.kernel.name,
        thread,
        group,
        reason,
        stalled,
        running,
        processes,
        ready,
        order,
      });
    }
    this.node.threadDown(thread, reason);
    this.tellAll({ kind: 'down', thread, reason });
  }

  /** Before the processes of the dead thread are known to be gone: whoever restarts them finds the new one. */
  private replace(worker: WorkerThread, name: string, position: number): void {
    const group = this.plan.groups.get(name) as ThreadGroup;
    if (this.node.directory.sizeOf(name) > group.count) {
      this.helperStays(name, group, position);
      return;
    }
    const place = placeOf(worker);
    const failures = worker.isReady ? 0 : (this.failures.get(place) ?? 0) + 1;
    this.failures.set(place, failures);
    const delayMs = restartDelayMs(failures, THREAD_RESTART_DELAY_MS, THREAD_RESTART_DELAY_MAX_MS);
    this.startInGroup(name, group, position, delayMs);
  }

  /** The thread that helped out is there already: it takes the place, unless it is the one that has ended. */
  private helperStays(name: string, { count }: ThreadGroup, position: number): void {
    for (const helper of this.running.values()) {
      const { own } = helper.assignment as Assignment;
      if (own.group === name && own.position === count) this.announce(helper.moveTo(position));
    }
  }

  private startInGroup(name: string, group: ThreadGroup, position: number, delayMs = 0): void {
    const own = describe(this.memory.newThread(), name, position);
    this.announce(own);
    // What is sent there meanwhile waits in its channels.
    this.launch(own, group, delayMs);
  }

  private startIsolated(own: ThreadDescription): number {
    this.announce(own);
    this.launch(own, this.plan.isolated, 0);
    return own.thread;
  }

  private announce(own: ThreadDescription): void {
    this.node.directory.add(own);
    this.tellAll({ kind: 'up', thread: own });
  }

  private launch(own: ThreadDescription, group: ThreadGroup, delayMs: number): void {
    const toWorker = openChannel();
    const toFirst = openChannel();
    this.node.channels.give(own.thread, toWorker.writer);
    this.node.attach(own.thread, toFirst.reader);
    const launch = (): void => {
      const spare = this.spares.get(group);
      this.spares.delete(group);
      const worker = spare ?? this.newWorker(group);
      this.running.set(own.thread, worker);
      worker.assign({
        systemName: this.kernel.name,
        systemId: this.kernel.id,
        shared: this.memory.shared,
        own,
        others: this.node.directory.descriptions,
        placements: this.plan.placements,
        busyMs: this.plan.busyMs,
        events: this.events,
        spinUs: this.spinUs,
        fromFirst: toWorker.reader,
        toFirst: toFirst.writer,
      });
      for (const message of this.unlaunched.get(own.thread) ?? []) worker.tell(message);
      this.unlaunched.delete(own.thread);
    };
    if (delayMs === 0) {
      launch();
      return;
    }
    this.unlaunched.set(own.thread, []);
    this.later(delayMs, launch);
  }

  private later(delayMs: number, act: () => void): void {
    const timer = this.clock.setTimer(() => {
      this.delayed.delete(timer);
      act();
    }, delayMs);
    this.delayed.add(timer);
  }

  private keepSpare(group: ThreadGroup): void {
    if (this.stopping || group.spares === 0 || this.spares.has(group)) return;
    const spare = this.newWorker(group);
    this.spares.set(group, spare);
    spare.tell({ kind: 'prepare', modules: [...(this.modules.get(group) ?? [])] });
  }

  /** Whoever takes the place of this thread is to have the module already. */
  private imported(worker: WorkerThread, module: string): void {
    const group = this.groupOf(worker);
    if (group.spares === 0) return;
    const modules = this.modules.get(group) ?? new Set();
    this.modules.set(group, modules);
    if (modules.has(module) || modules.size === SPARE_MODULES_MAX) return;
    modules.add(module);
    this.spares.get(group)?.tell({ kind: 'prepare', modules: [module] });
  }

  private groupOf({ assignment }: WorkerThread): ThreadGroup {
    return this.plan.groups.get(assignment?.own.group ?? '') ?? this.plan.isolated;
  }

  private newWorker({ resourceLimits }: ThreadGroup): WorkerThread {
    const worker = new WorkerThread({ system: this.kernel.name, resourceLimits, stdout: this.plan.stdout }, this);
    this.workers.add(worker);
    return worker;
  }

  /** No lock is held by the thread when it is terminated. */
  private end(worker: WorkerThread): void {
    if (worker.thread !== undefined) this.memory.markDead(worker.thread, false);
    void worker.terminate();
  }

  private tell(thread: number, message: ToWorker): void {
    const worker = this.running.get(thread);
    if (worker !== undefined) worker.tell(message);
    else this.unlaunched.get(thread)?.push(message);
  }

  private tellAll(message: ToWorker): void {
    for (const worker of this.running.values()) worker.tell(message);
    for (const messages of this.unlaunched.values()) messages.push(message);
  }

  private tellEvents(): void {
    const events = wantedEvents();
    if (events.join() === this.events.join()) return;
    this.events = events;
    this.tellAll({ kind: 'events', wanted: events });
  }

  /** Readers that look for more, and do not find it, would take the core from those that write. */
  private get spinUs(): number {
    return this.plan.threadCount + 1 <= availableParallelism() ? CHANNEL_SPIN_US : 0;
  }
}

function describe(thread: number, group: string | null, position: number): ThreadDescription {
  return { thread, group, position, memory: ThreadMemory.allocate(PROCESSES_MAX, RESERVED_PROCESSES_MAX) };
}

function placeOf({ assignment }: WorkerThread): string {
  return `${assignment?.own.group} ${assignment?.own.position}`;
}
