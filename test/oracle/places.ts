/** Where the processes of a scenario run. */

export interface Place {
  readonly thread?: string;
  readonly isolated?: boolean;
}

/** Worker threads: that many, or `'isolated'`: one for every process. */
export type Threads = number | 'isolated';

/** All on the thread that replays. */
export const here = (): Place => ({});

/** The group of one that is the worker thread with that number. */
export function groupOf(worker: number): string {
  return `worker ${worker}`;
}

/** Each process on another thread than the one before and its parent; the main thread has its turn too. */
export function placesOn(threads: Threads): () => Place {
  if (threads === 'isolated') return () => ({ isolated: true });
  let next = 0;
  return () => {
    const at = next++ % (threads + 1);
    return { thread: at === threads ? 'main' : groupOf(at) };
  };
}
