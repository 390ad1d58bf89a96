/** What the other thread does in the tests of channels. Its data: `role`, the ends of the channels, and a count. */

import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import type { ChannelEnd } from '../../../runtime/thread/channel.ts';
import { ChannelReader } from '../../../runtime/thread/channel-reader.ts';
import { ChannelWriter } from '../../../runtime/thread/channel-writer.ts';
import { FrameSource } from './frame-source.ts';

interface PeerData {
  readonly role: 'flood' | 'echo' | 'write' | 'read';
  readonly writer: ChannelEnd;
  readonly reader: ChannelEnd;
  readonly count: number;
  readonly spinUs: number;
}

const { role, writer: writerEnd, reader: readerEnd, count, spinUs } = workerData as PeerData;
const fail = (error: unknown): never => {
  throw error;
};

/** Sends all it has, as fast as it may, and checks what it gets. */
function flood(): void {
  const [sent, expected] = [new FrameSource(count), new FrameSource(count)];
  let worst = 0;
  const send = (): void => {
    for (let frame = sent.next(); frame !== undefined; frame = sent.next()) {
      const more = writer.send(frame);
      worst = Math.max(worst, writer.pendingBytes);
      if (!more) return;
    }
  };
  const writer = new ChannelWriter(writerEnd, {}, { onRefused: (_frame, error) => fail(error), onDrain: send });
  new ChannelReader(
    readerEnd,
    {},
    (frame) => {
      assert.deepEqual(frame, expected.next());
      if (expected.isAtEnd) parentPort?.postMessage({ worst });
    },
    { onLost: fail, spinUs },
  );
  send();
}

function echo(): void {
  const writer = new ChannelWriter(writerEnd, {}, { onRefused: (_frame, error) => fail(error) });
  new ChannelReader(readerEnd, {}, (frame) => writer.send(frame), { onLost: fail, spinUs });
}

/** Writes for ever, in the middle of which it is terminated. */
function write(): void {
  const writer = new ChannelWriter(writerEnd, {}, { onRefused: (_frame, error) => fail(error) });
  parentPort?.postMessage('writing');
  const payload = 'x'.repeat(300);
  for (let i = 0; ; i++) {
    if (i % 1_000 === 999) writer.send([i, new Uint8Array(20_000).fill(i)], true);
    else writer.send([i, { number: i, payload }], true);
  }
}

function read(): void {
  let frames = 0;
  new ChannelReader(readerEnd, {}, () => ++frames === count && parentPort?.postMessage('read'), { onLost: fail });
}

({ flood, echo, write, read })[role]();
