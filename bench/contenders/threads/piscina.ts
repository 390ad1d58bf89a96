/** Calls of the workload `threads` as jobs of a piscina with one thread. */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { answerQuestions, type Operation } from '../../contender-program.ts';
import { idle, inFlight, manyAtOnce, oneByOne, pauseMs, sleep } from './measure.ts';

const pool = new Piscina({
  filename: fileURLToPath(new URL('./piscina/far-thread.js', import.meta.url)),
  minThreads: 1,
  maxThreads: 1,
  concurrentTasksPerWorker: inFlight,
});
const call = (): Promise<unknown> => pool.run(1);

await answerQuestions(
  new Map<string, Operation>([
    ['call', (count) => oneByOne(count, call)],
    ['parked', (count) => oneByOne(count, call, () => sleep(pauseMs))],
    ['call_many', (count) => manyAtOnce(count, call)],
    ['idle', idle],
  ]),
);
