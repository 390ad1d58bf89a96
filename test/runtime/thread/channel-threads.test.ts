/** Channels between real threads: floods, sleep against bell, and threads that end in the middle. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type ChannelEnd, ChannelFullError, openChannel } from '../../../runtime/thread/channel.ts';
import { ChannelReader } from '../../../runtime/thread/channel-reader.ts';
import { ChannelWriter } from '../../../runtime/thread/channel-writer.ts';

const fail = (error: unknown): never => {
  throw error;
};

interface PeerEnds {
  readonly writer?: ChannelEnd;
  readonly reader?: ChannelEnd;
}

function startPeer(role: string, ends: PeerEnds, count = 0, spinUs = 0): Worker {
  const transferList = Object.values(ends).map(({ port }: ChannelEnd) => port);
  const workerData = { role, count, spinUs, ...ends };
  return new Worker(new URL('./channel-peer.js', import.meta.url), { workerData, transferList });
}

for (const [ringBytes, spinUs] of [
  [4_096, 0],
  [4_096, 100],
  [2 ** 20, 100],
] as const) {
  test(`two threads that flood each other lose nothing, ${ringBytes} bytes of ring, ${spinUs} us of spin`, async () => {
    const [forth, back] = [openChannel(ringBytes), openChannel(ringBytes)];
    const count = 20_001;
    const peers = [
      startPeer('flood', { writer: forth.writer, reader: back.reader }, count, spinUs),
      startPeer('flood', { writer: back.writer, reader: forth.reader }, count, spinUs),
    ];
    const ends = await Promise.all(peers.map((peer) => once(peer, 'message')));
    await Promise.all(peers.map((peer) => peer.terminate()));
    for (const [{ worst }] of ends as [{ worst: number }][]) {
      assert.ok(worst < 8 * 1_024 * 1_024, `${worst} bytes waited`);
    }
  });
}

for (const spinUs of [0, 100]) {
  test(`no frame is left lying when the reader goes to sleep, ${spinUs} us of spinning`, async () => {
    const [forth, back] = [openChannel(), openChannel()];
    const peer = startPeer('echo', { writer: back.writer, reader: forth.reader }, 0, spinUs);
    const writer = new ChannelWriter(forth.writer, {}, { onRefused: (_frame, error) => fail(error) });
    const rounds = 5_000;
    await new Promise<void>((resolve) => {
      let at = 0;
      const send = (): void => {
        // Work of every length up to some 50 us, so that the frame meets the other side in every state.
        for (let i = 0; i < (at * 7_919) % 50_000; i++) Math.sqrt(i);
        writer.send([at, 'ping']);
      };
      const onFrame = ([i]: unknown[]): void => {
        assert.equal(i, at++);
        if (at === rounds) resolve();
        else send();
      };
      new ChannelReader(back.reader, {}, onFrame, { onLost: fail, spinUs });
      send();
    });
    await peer.terminate();
  });
}

test('of a writer that is terminated, all that it wrote completely is read, in order', async () => {
  for (let run = 0; run < 15; run++) {
    const { writer, reader: end } = openChannel(2 ** (12 + run));
    const peer = startPeer('write', { writer });
    const got: number[] = [];
    const onFrame = ([i, value]: unknown[]): void => {
      const payload = value instanceof Uint8Array ? value.length : (value as { number: number }).number;
      assert.equal(payload, value instanceof Uint8Array ? 20_000 : i);
      got.push(i as number);
    };
    const reader = new ChannelReader(end, {}, onFrame, { onLost: fail });
    await once(peer, 'message');
    while (got.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < run * 20; i++) reader.poll();
    await peer.terminate();
    reader.poll();
    assert.equal(reader.poll(), 0);
    assert.deepEqual(
      got,
      Array.from(got, (_, i) => i),
    );
    reader.close();
  }
});

test('a reader that is terminated stops its writer at the bounds, and costs no more than what waits', async () => {
  const { writer: end, reader } = openChannel(2 ** 16);
  const peer = startPeer('read', { reader }, 10_000);
  const read = once(peer, 'message');
  const bounds = { highWaterBytes: 100_000, lowWaterBytes: 10_000, maxPendingBytes: 400_000 };
  const send = (): void => {
    while (writer.send([0, 'x'.repeat(500)]));
  };
  const writer = new ChannelWriter(end, {}, { ...bounds, onRefused: (_frame, error) => fail(error), onDrain: send });
  send();
  await read;
  await peer.terminate();
  assert.throws(() => {
    for (;;) writer.send([1, 'x'.repeat(500)]);
  }, ChannelFullError);
  assert.ok(writer.pendingBytes < 410_000);
  assert.ok(writer.close() > 100);
  assert.equal(writer.pendingBytes, 0);
});
