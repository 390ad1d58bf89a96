/** A worker of Node.js that ends by one fault, and another one in its place. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { answerQuestions, type Operation } from '../../contender-program.ts';
import { type Fault, resourceLimits } from './fault.ts';

const callsBefore = 100;
const settleMs = 1_000;

async function answering(worker: Worker): Promise<void> {
  worker.postMessage('ping');
  await once(worker, 'message');
}

async function replaced(fault: Fault, isSpare: boolean, stallMs: number): Promise<object> {
  const moment = new SharedArrayBuffer(8);
  const began = new BigInt64Array(moment);
  const start = async (): Promise<Worker> => {
    const worker = new Worker(new URL('./bare-worker.js', import.meta.url), { workerData: moment, resourceLimits });
    await once(worker, 'message');
    return worker;
  };
  const worker = await start();
  worker.on('error', () => {}); // it is to fail
  for (let i = 0; i < callsBefore; i++) await answering(worker);
  const spare = isSpare ? await start() : undefined;
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  worker.postMessage(fault);
  if (fault === 'loop') setTimeout(() => void worker.terminate(), stallMs);
  await ended;
  const detected = process.hrtime.bigint();
  await answering(spare ?? (await start()));
  const served = process.hrtime.bigint();
  return { detectedMs: Number(detected - began[0]!) / 1e6, servedMs: Number(served - began[0]!) / 1e6 };
}

export function answerForBareThreads({ spare }: { readonly spare: boolean }): Promise<never> {
  const kinds: readonly Fault[] = ['throw', 'exit', 'oom', 'loop'];
  const operation =
    (kind: Fault): Operation =>
    (stallMs) =>
      replaced(kind, spare, stallMs);
  return answerQuestions(new Map(kinds.map((kind) => [kind, operation(kind)])));
}
