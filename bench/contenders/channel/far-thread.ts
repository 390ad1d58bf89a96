/** The other thread: counts frames, or sends them back. */
import { parentPort, workerData } from 'node:worker_threads';
import { ECHO, LAST } from './frames.ts';
import { type Frame, type LineEnd, openLine } from './line.ts';

let count = 0;
let bytes = 0;
const line = openLine(workerData as LineEnd, (frame: Frame) => {
  if (frame[0] === ECHO) {
    line.send(frame);
    return;
  }
  count++;
  const payload = frame[frame.length - 1] as { text?: string; data?: Uint8Array };
  bytes += payload.text?.length ?? payload.data?.length ?? 0;
  if (frame[0] !== LAST) return;
  parentPort?.postMessage({ count, bytes });
  count = 0;
  bytes = 0;
});
