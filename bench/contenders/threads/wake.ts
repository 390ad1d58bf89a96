/**
 * The floor of `call, parked`: what Node.js takes to wake two threads that sleep, with next to nothing beside it. In
 * `wake-post` each tells the other by a message of a port that holds a number, in `wake-wait` by Atomics.notify.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { answerQuestions, type Operation } from '../../contender-program.ts';
import { oneByOne, pauseMs, sleep } from './measure.ts';

const words = new Int32Array(new SharedArrayBuffer(8));
const worker = new Worker(new URL('./wake/far-thread.js', import.meta.url), { workerData: words });
await once(worker, 'message');
let answered: () => void = () => {};
worker.on('message', () => answered());

const byPost = (): Promise<void> =>
  new Promise((resolve) => {
    answered = resolve;
    worker.postMessage(0);
  });

async function byNotify(): Promise<void> {
  const before = Atomics.load(words, 1);
  Atomics.add(words, 0, 1);
  Atomics.notify(words, 0);
  await Atomics.waitAsync(words, 1, before).value;
}

const trip = process.argv[2] === 'wait' ? byNotify : byPost;

await answerQuestions(
  new Map<string, Operation>([
    ['call', (count) => oneByOne(count, trip)],
    ['parked', (count) => oneByOne(count, trip, () => sleep(pauseMs))],
  ]),
);
