/** Answers whatever wakes it. */
import { parentPort, workerData } from 'node:worker_threads';

const words = workerData as Int32Array;
parentPort?.on('message', () => parentPort?.postMessage(0));
parentPort?.postMessage(0);
for (;;) {
  const before = Atomics.load(words, 0);
  if (before === Atomics.load(words, 1)) await Atomics.waitAsync(words, 0, before).value;
  Atomics.add(words, 1, 1);
  Atomics.notify(words, 1);
}
