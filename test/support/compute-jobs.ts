/** Jobs for the tests of the compute pool: sound ones, and one for each way to fail. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type MessagePort, threadId } from 'node:worker_threads';
import { type ComputeJob, computeJob } from '../../runtime/compute/job.ts';

export const double: ComputeJob<number, number> = computeJob(import.meta, 'double', (n: number) => n * 2);

export const same: ComputeJob<any, any> = computeJob(import.meta, 'same', (value) => value);

export const thread: ComputeJob<void, number> = computeJob(import.meta, 'thread', () => threadId);

/** Says that it runs, and then does for ever. */
export const spin: ComputeJob<MessagePort, never> = computeJob(import.meta, 'spin', (port: MessagePort) => {
  port.postMessage('running');
  for (;;);
});

/** Says on which thread it runs, and ends with the message that comes next. */
export const hold: ComputeJob<MessagePort, unknown> = computeJob(import.meta, 'hold', async (port: MessagePort) => {
  port.postMessage(threadId);
  const [value] = await once(port, 'message');
  port.close();
  return value;
});

/** In large pieces: Node.js does not always see the end of a heap in time that fills with small objects. */
export const leak: ComputeJob<void, never> = computeJob(import.meta, 'leak', () => {
  const kept: number[][] = [];
  for (;;) kept.push(new Array(1_000_000).fill(0.5));
});

export const exits: ComputeJob<number | undefined, never> = computeJob(import.meta, 'exits', (code) =>
  process.exit(code),
);

export const throws: ComputeJob<string, never> = computeJob(import.meta, 'throws', (why: string) => {
  throw Object.assign(new RangeError(why, { cause: new Error('the cause') }), { code: 'ERR_JOB' });
});

export const rejects: ComputeJob<unknown, never> = computeJob(import.meta, 'rejects', (reason) =>
  Promise.reject(reason),
);

/** Fails beside its own function, which never settles. */
export const throwsBeside: ComputeJob<void, void> = computeJob(import.meta, 'throwsBeside', () => {
  setImmediate(() => {
    throw new TypeError('beside');
  });
  return new Promise<void>(() => {});
});

export const floats: ComputeJob<void, void> = computeJob(import.meta, 'floats', () => {
  void Promise.reject(new TypeError('floating'));
  return new Promise<void>(() => {});
});

/** Has a result, and fails after it. */
export const leavesBehind: ComputeJob<void, number> = computeJob(import.meta, 'leavesBehind', () => {
  setImmediate(() => {
    throw new TypeError('left behind');
  });
  return threadId;
});

export const givesFunction: ComputeJob<void, unknown> = computeJob(import.meta, 'givesFunction', () => () => 1);

export const throwsFunction: ComputeJob<void, never> = computeJob(import.meta, 'throwsFunction', () => {
  throw new Error('with a function', { cause: () => 1 });
});

let last: ArrayBuffer | undefined;

/** Gives back a buffer without a copy: its own is empty afterwards. */
export const fill: ComputeJob<ArrayBuffer, ArrayBuffer> = computeJob(import.meta, 'fill', (buffer, { transfer }) => {
  new Uint8Array(buffer).fill(7);
  transfer(buffer);
  last = buffer;
  return buffer;
});

/** The size of the buffer that `fill` gave back on the same thread. */
export const filled: ComputeJob<void, unknown> = computeJob(import.meta, 'filled', () => last?.byteLength);

/** Waits in native code, from which no thread can be torn, until a writer of the pipe is done. */
export const readsPipe: ComputeJob<string, string> = computeJob(import.meta, 'readsPipe', (path: string) =>
  readFileSync(path, 'utf8'),
);

/** Counts for ever. */
export const counts: ComputeJob<Int32Array, never> = computeJob(import.meta, 'counts', (counter: Int32Array) => {
  for (;;) Atomics.add(counter, 0, 1);
});

/** Its module does not export it. */
export const hidden: ComputeJob<void, void> = computeJob(import.meta, 'isNotExported', () => {});

/** Nobody made it a job. */
export const plain = (): number => 1;

export const plainJob: ComputeJob<void, void> = computeJob(import.meta, 'plain', () => {});

export const nowhere: ComputeJob<void, void> = computeJob({ url: 'file:///no/such/module.js' }, 'nowhere', () => {});
