/** Counts what comes, and answers. */
import { parentPort } from 'node:worker_threads';

export type Message =
  | { readonly type: 'add'; readonly ref: number; readonly n: number }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'data'; readonly data: Uint8Array }
  | { readonly type: 'call'; readonly id: number; readonly n: number }
  | { readonly type: 'take' };

export type Answer =
  | { readonly type: 'reply'; readonly id: number; readonly value: number }
  | { readonly type: 'taken'; readonly count: number; readonly bytes: number };

let [sum, count, bytes] = [0, 0, 0];
const answer = (message: Answer): void => parentPort?.postMessage(message);
const counted = (size: number): void => {
  count++;
  bytes += size;
};

parentPort?.on('message', (message: Message) => {
  switch (message.type) {
    case 'add':
      return counted(message.n);
    case 'text':
      return counted(message.text.length);
    case 'data':
      return counted(message.data.length);
    case 'call':
      sum += message.n;
      return answer({ type: 'reply', id: message.id, value: sum });
    case 'take':
      answer({ type: 'taken', count, bytes });
      [count, bytes] = [0, 0];
      return;
  }
});
