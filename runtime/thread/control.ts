import type { ExitReason } from '../kernel/exit.ts';
import type { ChannelEnd } from './channel.ts';
import type { Placement, ThreadDescription } from './directory.ts';
import type { SharedMemory } from './system-memory.ts';

/** What the thread that starts the system and its workers tell each other beside the channels. */

/** What a worker is to be: it may have been started before that was known. */
export interface Assignment {
  readonly systemName: string;
  readonly systemId: string;
  readonly shared: SharedMemory;
  readonly own: ThreadDescription;
  readonly others: readonly ThreadDescription[];
  readonly placements: Readonly<Record<string, Placement>>;
  readonly busyMs: number;
  readonly events: readonly string[];
  readonly spinUs: number;
  /** The channels with the first thread. */
  readonly fromFirst: ChannelEnd;
  readonly toFirst: ChannelEnd;
}

export type ToWorker =
  | { readonly kind: 'assign'; readonly assignment: Assignment }
  | { readonly kind: 'attach'; readonly from: number; readonly end: ChannelEnd }
  | { readonly kind: 'up'; readonly thread: ThreadDescription }
  | { readonly kind: 'down'; readonly thread: number; readonly reason: ExitReason }
  | { readonly kind: 'events'; readonly wanted: readonly string[] }
  /** To a spare: what those have imported whose place it may take. */
  | { readonly kind: 'prepare'; readonly modules: readonly string[] }
  /** Nothing moves: it may be looked at rarely, unless it has work that goes on by itself. */
  | { readonly kind: 'rest' }
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'connect'; readonly to: number; readonly end: ChannelEnd }
  /** It has taken a number and memory for a thread that is to run one process. */
  | { readonly kind: 'isolate'; readonly thread: ThreadDescription }
  /** It rested, and begins a round. */
  | { readonly kind: 'stirs' }
  /** For the first time; whoever takes its place will need it. */
  | { readonly kind: 'imported'; readonly module: string }
  /** The last that it says: it runs its listeners of `exit`. `uncaught`: the reason, if that is an error. */
  | { readonly kind: 'leaving'; readonly exitCode: number; readonly uncaught?: ExitReason }
  /** The process for which it was started has ended. */
  | { readonly kind: 'idle' };
