/** What runs on a worker thread: it waits to be told which thread it is, and then runs processes until told to stop. */

import { type MessagePort, parentPort } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { describeExit, errorExit } from '../kernel/exit.ts';
import { importModule, listenToImports } from '../kernel/imports.ts';
import { Kernel } from '../kernel/kernel.ts';
import type { Assignment, FromWorker, ToWorker } from './control.ts';
import { Directory } from './directory.ts';
import { EventRelay } from './event-relay.ts';
import { op } from './frames.ts';
import { isolatedThread } from './isolated-thread.ts';
import { SystemMemory } from './system-memory.ts';
import { ThreadMemory } from './thread-memory.ts';
import { ThreadNode } from './thread-node.ts';

const first = parentPort as MessagePort;

function tell(message: FromWorker, transfer: readonly MessagePort[] = []): void {
  first.postMessage(message, transfer);
}

class WorkerThread {
  private readonly node: ThreadNode;
  private readonly relay: EventRelay;
  private readonly memory: SystemMemory;

  constructor({ systemName, systemId, shared, own, others, placements, busyMs, events, spinUs, ...ends }: Assignment) {
    const directory = new Directory(placements, busyMs, systemClock.now);
    for (const other of others) directory.add(other);
    this.memory = new SystemMemory(shared, own.thread);
    const kernel = new Kernel({
      name: systemName,
      id: systemId,
      thread: own.thread,
      clock: systemClock,
      guard: { onUnattributed: null },
    });
    this.node = new ThreadNode({
      kernel,
      memory: this.memory,
      directory,
      own,
      spinUs,
      connect: (to, end) => tell({ kind: 'connect', to, end }, [end.port]),
      isolated: () => {
        const thread = isolatedThread(this.memory);
        directory.add(thread);
        tell({ kind: 'isolate', thread });
        return thread.thread;
      },
      stirs: () => tell({ kind: 'stirs' }),
    });
    this.node.channels.give(0, ends.toFirst);
    const ownMemory = new ThreadMemory(own.memory);
    listenToImports({
      importing: (is) => ownMemory.importing(is),
      imported: (module) => tell({ kind: 'imported', module }),
    });
    this.relay = new EventRelay(systemName, (name, event) => this.node.channels.send(0, [op.event, name, event], null));
    this.relay.wanted(events);
    this.node.channels.accept(0, ends.fromFirst);
    if (own.group === null) {
      const isEmpty = (): boolean => kernel.table.size === 0 && !ownMemory.isReserved;
      // Those who must know of the exit are told first.
      const leave = (): void =>
        this.node.channels.flushed(() => {
          if (isEmpty()) tell({ kind: 'idle' });
        });
      kernel.onEmpty = () => {
        if (isEmpty()) setImmediate(leave);
      };
    }
    tell({ kind: 'ready' });
  }

  told(message: Exclude<ToWorker, { kind: 'assign' | 'prepare' }>): void {
    switch (message.kind) {
      case 'attach':
        this.node.attach(message.from, message.end);
        return;
      case 'up':
        this.node.directory.add(message.thread);
        return;
      case 'down':
        this.node.threadDown(message.thread, message.reason);
        return;
      case 'events':
        this.relay.wanted(message.wanted);
        return;
      case 'rest':
        this.node.rest();
        return;
      case 'stop':
        this.stop();
        return;
    }
  }

  private stop(): void {
    this.node.kernel.stop();
    // What the ends of the processes have left behind has this turn; then nothing of user code keeps the thread.
    setImmediate(() => this.node.channels.flushed(() => process.exit(0)));
  }
}

let thread: WorkerThread | undefined;

/** An error that nobody catches ends the thread in the turn in which it is thrown. */
let uncaught: { readonly error: unknown } | undefined;
process.on('uncaughtExceptionMonitor', (error) => {
  uncaught = { error };
  process.nextTick(() => {
    uncaught = undefined;
  });
});

// Before the listeners of users, which may take their time.
process.on('exit', (exitCode) => {
  if (uncaught === undefined) {
    tell({ kind: 'leaving', exitCode });
    return;
  }
  const reason = errorExit(uncaught.error);
  try {
    tell({ kind: 'leaving', exitCode, uncaught: reason });
  } catch {
    // What was thrown cannot cross.
    tell({ kind: 'leaving', exitCode, uncaught: { described: describeExit(reason) } });
  }
});

/** Once for a spare, however often it is told of another module. */
let rehearsal: Promise<void> | undefined;

async function prepare(modules: readonly string[]): Promise<void> {
  rehearsal ??= import('./rehearsal.ts').then(({ rehearse }) => rehearse());
  await rehearsal;
  for (const module of modules) {
    await importModule(module).catch(() => {
      // It fails again where it is needed, and is the reason of whoever needs it.
    });
  }
}

first.on('message', (message: ToWorker) => {
  if (message.kind === 'prepare') void prepare(message.modules);
  else if (message.kind === 'assign') thread = new WorkerThread(message.assignment);
  else thread?.told(message);
});
tell({ kind: 'loaded' });
