/** One system with worker threads, on which many scenarios are replayed at a time, each under its own supervisor. */

import {
  type Context,
  child,
  type Pid,
  type System,
  startChild,
  startSystem,
  supervisor,
} from '../../runtime/index.ts';
import { Probe, type ProbeProtocol } from '../support/thread-probe.ts';
import { Collector } from './collector.ts';
import { EventFeed } from './event-feed.ts';
import { groupOf, type Threads } from './places.ts';
import { collectorName } from './worker.ts';

const forEver = { timeoutMs: 'infinity' } as const;

let stages = 0;

export class Stage {
  readonly system: System;
  readonly events: EventFeed;
  readonly threads: Threads;
  /** One process on each worker thread: what reaches it has come after all that was sent there before. */
  private readonly posts: readonly Pid<ProbeProtocol>[];
  private round: Promise<void> = Promise.resolve();
  private nextRound: Promise<void> | undefined;

  static async start(threads: Threads): Promise<Stage> {
    const name = `oracle stage ${++stages}`;
    const groups = threads === 'isolated' ? [] : Array.from({ length: threads }, (_, worker) => groupOf(worker));
    const events = new EventFeed(name);
    const system = await startSystem({
      name,
      threads: Object.fromEntries(groups.map((group) => [group, { count: 1, spare: false }])),
      children: [child(Collector, undefined, { name: collectorName })],
    });
    const posts: Pid<ProbeProtocol>[] = [];
    for (const thread of groups) {
      const post = await system.start(Probe, undefined, { thread });
      if (post === 'ignore' || 'error' in post) throw new Error(`no process on ${thread}`);
      posts.push(post.ok);
    }
    return new Stage(system, events, threads, posts);
  }

  private constructor(system: System, events: EventFeed, threads: Threads, posts: readonly Pid<ProbeProtocol>[]) {
    this.system = system;
    this.events = events;
    this.threads = threads;
    this.posts = posts;
  }

  /** The supervisor under which one scenario is replayed. */
  async newTop(id: string): Promise<Pid> {
    const result = await startChild(this.system, this.system.root, supervisor(id, { restart: 'temporary' }, []));
    if ('ok' in result && result.ok !== undefined) return result.ok;
    throw new Error(`no supervisor for ${id}`);
  }

  /** Who acts for the owner of the system. */
  get driver(): Pid | undefined {
    return this.events.parentOf(this.system.root);
  }

  /**
   * Settles when all that was sent between any two threads before has arrived, and all that was published has been told
   * here. Those that wait for the next round share it.
   */
  untilArrived(): Promise<void> {
    if (this.nextRound === undefined) {
      const round = this.round.then(() => {
        this.nextRound = undefined;
        return this.goRound();
      });
      this.nextRound = round;
      this.round = round;
    }
    return this.nextRound;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const pause = (_arg: undefined, ctx: Context): Promise<void> =>
        ctx.receive(() => false, ms).then(() => resolve());
      this.system.spawn(pause, undefined);
    });
  }

  /** Kills: a tree that hangs cannot be stopped in order. */
  async stop(): Promise<void> {
    this.system.exitProcess(this.system.root, 'kill');
    await this.system.terminated;
    this.events.close();
  }

  private async goRound(): Promise<void> {
    const { system, posts } = this;
    // From here to each thread and back, and from each thread to each other and back.
    const ways = posts.flatMap((from) =>
      posts.map((to) =>
        from === to ? system.call(from, 'threadId', undefined, forEver) : system.call(from, 'late', to, forEver),
      ),
    );
    await Promise.all(ways);
    // Also where there are no posts other threads have their turn.
    await new Promise((resolve) => setImmediate(resolve));
    await this.events.untilToldBefore(system.uniqueInteger());
  }
}
