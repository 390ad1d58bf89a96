/** The workload `threads` with `postMessage`, a message each, as a program without a library would do it. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { answerQuestions, costPerOperation, expectEqual, type Operation } from '../../contender-program.ts';
import {
  idle,
  kibibyte,
  large,
  manyAtOnce,
  messagesPerTurn,
  oneByOne,
  pauseMs,
  sleep,
  streamMessages,
  streamMs,
} from './measure.ts';
import type { Answer, Message } from './post/far-thread.ts';

const worker = new Worker(new URL('./post/far-thread.js', import.meta.url));
await once(worker, 'online');
const waiting = new Map<number, (value: number) => void>();
let taken: (count: { readonly count: number; readonly bytes: number }) => void = () => {};
worker.on('message', (answer: Answer) => {
  if (answer.type === 'taken') taken(answer);
  else {
    waiting.get(answer.id)?.(answer.value);
    waiting.delete(answer.id);
  }
});

const post = (message: Message): void => worker.postMessage(message);

function oneWay(bytesEach: number, message: (ref: number) => Message): Operation {
  return (total) =>
    costPerOperation(total, async () => {
      const end = new Promise<Parameters<typeof taken>[0]>((resolve) => (taken = resolve));
      for (let i = 0; i < total; ) {
        post(message(i));
        if (++i % messagesPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      post({ type: 'take' });
      const { count, bytes } = await end;
      expectEqual(count, total, 'messages');
      expectEqual(bytes, total * bytesEach, 'bytes');
    });
}

let lastId = 0;
const call = (): Promise<number> =>
  new Promise((resolve) => {
    const id = ++lastId;
    waiting.set(id, resolve);
    post({ type: 'call', id, n: 1 });
  });

const loaded: Operation = async (count) => {
  const stream = setInterval(() => {
    for (let ref = 0; ref < streamMessages; ref++) post({ type: 'add', ref, n: 1 });
  }, streamMs);
  const latency = await oneByOne(count, call);
  clearInterval(stream);
  post({ type: 'take' });
  return latency;
};

const shared = new Uint8Array(new SharedArrayBuffer(large.length));

await answerQuestions(
  new Map<string, Operation>([
    ['cast', oneWay(1, (ref) => ({ type: 'add', ref, n: 1 }))],
    ['kibibyte', oneWay(kibibyte.length, () => ({ type: 'text', text: kibibyte }))],
    ['large', oneWay(large.length, () => ({ type: 'data', data: large }))],
    ['shared', oneWay(large.length, () => ({ type: 'data', data: shared }))],
    ['call', (count) => oneByOne(count, call)],
    ['parked', (count) => oneByOne(count, call, () => sleep(pauseMs))],
    ['loaded', loaded],
    ['call_many', (count) => manyAtOnce(count, call)],
    ['idle', idle],
  ]),
);
