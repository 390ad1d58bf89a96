/** A worker that answers, and does what ends it when asked to. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Fault } from './fault.ts';
import { run } from './fault.ts';

const first = parentPort as MessagePort;
const moment = new BigInt64Array(workerData as SharedArrayBuffer);
first.on('message', (asked: Fault | 'ping') => {
  if (asked === 'ping') first.postMessage('pong');
  else run(asked, moment);
});
first.postMessage('ready');
