/**
 * What a spare thread does ahead of time: it goes once through what it will have to do when it takes the place of
 * another. Code that has run is compiled; half of the time of a takeover went into that.
 */

import { systemClock } from '../clock.ts';
import type { Context } from '../kernel/context.ts';
import { Kernel } from '../kernel/kernel.ts';
import type { Call } from '../kernel/protocol.ts';
import { spawn } from '../kernel/start.ts';
import { type GenServer, genServer } from '../server/gen-server.ts';
import { noreply, reply } from '../server/server-result.ts';
import { Directory } from './directory.ts';
import { SystemMemory } from './system-memory.ts';
import { ThreadMemory } from './thread-memory.ts';
import { ThreadNode } from './thread-node.ts';

export interface UnderstudyProtocol {
  readonly call: { readonly say: Call<unknown, unknown> };
  readonly cast: { readonly hear: unknown };
}

/** Has its cue from another thread, as those have who will be started here. */
export const Understudy: GenServer<UnderstudyProtocol, unknown> = genServer(import.meta, 'Understudy', {
  init: (start) => start,
  handleCall: { say: (state, payload) => reply(payload, state) },
  handleCast: { hear: (state) => noreply(state) },
});

const SYSTEM = 'beamish rehearsal';
const STAGE = 'stage';
const PROCESSES = 16;

/** Plays two threads of a system: a start, messages, a call, signals and an end go from one to the other. */
export async function rehearse(): Promise<void> {
  const shared = SystemMemory.allocate();
  const described = [0, 1].map((thread) => ({
    thread,
    group: thread === 0 ? null : STAGE,
    position: 0,
    memory: ThreadMemory.allocate(PROCESSES, PROCESSES),
  }));
  const nodes: ThreadNode[] = [];
  for (const own of described) {
    const directory = new Directory({ [STAGE]: 'round_robin' }, 0, systemClock.now);
    for (const each of described) directory.add(each);
    nodes.push(
      new ThreadNode({
        kernel: new Kernel({
          name: SYSTEM,
          id: SYSTEM,
          thread: own.thread,
          clock: systemClock,
          guard: { onUnattributed: null },
        }),
        memory: new SystemMemory(shared, own.thread),
        directory,
        own,
        spinUs: 0,
        connect: (to, end) => nodes[to]?.attach(own.thread, end),
        isolated: () => own.thread,
      }),
    );
  }
  await new Promise<void>((resolve) => {
    const play = async (_: unknown, ctx: Context): Promise<void> => {
      ctx.openPort({ close: () => resolve() });
      ctx.trapExit(true);
      const started = await ctx.startLink(Understudy, { since: 0 }, { name: STAGE, thread: STAGE });
      if (started === 'ignore' || 'error' in started) return;
      ctx.monitor(started.ok);
      ctx.cast(started.ok, 'hear', { text: 'words', from: ctx.self });
      await ctx.call(started.ok, 'say', ['words', 1, { from: ctx.self }]);
      ctx.exitProcess(started.ok, 'shutdown');
      await ctx.receive(() => true, 'infinity');
    };
    spawn((nodes[0] as ThreadNode).kernel, null, play, undefined, {});
  });
  for (const { kernel, channels } of nodes) {
    kernel.stop();
    channels.close();
  }
}
