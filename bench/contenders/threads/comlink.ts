/** Calls of the workload `threads` with comlink. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { answerQuestions, type Operation } from '../../contender-program.ts';
import { loadPeer } from '../../peers.ts';
import { type Comlink, type NodeAdapter, packages } from './comlink/packages.ts';
import { idle, manyAtOnce, oneByOne, pauseMs, sleep } from './measure.ts';

const [comlink, { default: nodeEndpoint }] = await Promise.all([
  loadPeer<Comlink>(packages.comlink),
  loadPeer<NodeAdapter>(packages.adapter),
]);
const worker = new Worker(new URL('./comlink/far-thread.js', import.meta.url));
await once(worker, 'message');
const counter = comlink.wrap<{ add(n: number): Promise<number> }>(nodeEndpoint(worker));
const call = (): Promise<number> => counter.add(1);

await answerQuestions(
  new Map<string, Operation>([
    ['call', (count) => oneByOne(count, call)],
    ['parked', (count) => oneByOne(count, call, () => sleep(pauseMs))],
    ['call_many', (count) => manyAtOnce(count, call)],
    ['idle', idle],
  ]),
);
