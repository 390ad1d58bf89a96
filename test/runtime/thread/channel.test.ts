/** A channel within one thread: order, bounds, what is refused, and when the reader sleeps. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receiveMessageOnPort } from 'node:worker_threads';
import fc from 'fast-check';
import { CHANNEL_BATCH_FRAMES, CHANNEL_BELL_BYTES } from '../../../runtime/limits.ts';
import { ChannelClosedError, ChannelFullError, type Frame, openChannel } from '../../../runtime/thread/channel.ts';
import { ChannelReader, type ChannelReaderOptions } from '../../../runtime/thread/channel-reader.ts';
import { ChannelWriter, type ChannelWriterOptions } from '../../../runtime/thread/channel-writer.ts';
import { NotTransferableError } from '../../../runtime/thread/not-transferable.ts';
import { RingReader } from '../../../runtime/thread/ring.ts';
import { transfer } from '../../../runtime/thread/transfer.ts';

interface Pair extends AsyncDisposable {
  readonly writer: ChannelWriter;
  readonly reader: ChannelReader;
  readonly got: unknown[][];
  readonly refused: [Frame, unknown][];
  readonly lost: unknown[];
  /** Rounds of the event loop until that many frames have come. */
  arrived(count: number): Promise<void>;
}

const fail = (error: unknown): never => {
  throw error;
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function pair(ringBytes: number, options: Partial<ChannelReaderOptions & ChannelWriterOptions> = {}): Pair {
  const ends = openChannel(ringBytes);
  const got: unknown[][] = [];
  const refused: [Frame, unknown][] = [];
  const lost: unknown[] = [];
  const writer = new ChannelWriter(ends.writer, {}, { onRefused: (...each) => refused.push(each), ...options });
  const onFrame = (frame: unknown[]): void => void got.push(frame);
  const reader = new ChannelReader(ends.reader, {}, onFrame, { onLost: (error) => lost.push(error), ...options });
  return {
    writer,
    reader,
    got,
    refused,
    lost,
    async arrived(count) {
      while (got.length < count) await turn();
    },
    async [Symbol.asyncDispose]() {
      writer.close();
      reader.close();
      await turn();
    },
  };
}

test('any schedule of sends, flushes, polls and turns keeps the order', async () => {
  const size = fc.constantFrom(0, 1, 10, 200, 700, 5_000);
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.array(size, { maxLength: 40 }).map((sizes) => ({ sizes })) },
    { weight: 2, arbitrary: fc.constantFrom('flush', 'poll', 'turn', 'microtask') },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      await using channel = pair(4_096, { spinUs: 0 });
      const sent: unknown[][] = [];
      for (const each of steps) {
        if (each === 'flush') channel.writer.flush();
        else if (each === 'poll') channel.reader.poll();
        else if (each === 'turn') await turn();
        else if (each === 'microtask') await undefined;
        else {
          for (const bytes of (each as { sizes: number[] }).sizes) {
            sent.push([sent.length, bytes === 5_000 ? Buffer.alloc(bytes, 1) : 'z'.repeat(bytes)]);
            channel.writer.send(sent.at(-1)!);
          }
        }
      }
      await channel.arrived(sent.length);
      assert.deepEqual(channel.got, sent);
      assert.equal(channel.writer.pendingBytes, 0);
      assert.deepEqual([channel.lost, channel.refused], [[], []]);
    }),
    { numRuns: 150 },
  );
});

test('a writer writes before the reader is there', async () => {
  const ends = openChannel();
  const writer = new ChannelWriter(ends.writer, {}, { onRefused: assert.fail });
  for (let i = 0; i < 1_000; i++) writer.send([i, i === 500 ? new Uint8Array(300_000) : 'small']);
  writer.flush();
  const got: unknown[] = [];
  const reader = new ChannelReader(ends.reader, {}, ([i]) => got.push(i), { onLost: fail });
  assert.equal(reader.poll(), 1_000);
  assert.deepEqual(
    got,
    Array.from({ length: 1_000 }, (_, i) => i),
  );
  writer.close();
  reader.close();
  await turn();
});

test('a full channel asks to wait, then refuses, never what is forced, and says when to go on', async () => {
  let drained = 0;
  const bounds = { highWaterBytes: 20_000, lowWaterBytes: 1_000, maxPendingBytes: 50_000 };
  await using channel = pair(4_096, { ...bounds, spinUs: 0, onDrain: () => drained++ });
  const { writer } = channel;
  const frame = [0, 'x'.repeat(400)];
  let count = 0;
  for (; writer.send(frame); count++) writer.flush();
  count++;
  assert.ok(writer.pendingBytes >= 20_000 && writer.pendingBytes < 21_000, `${writer.pendingBytes} bytes wait`);
  assert.throws(
    () => {
      for (; ; count++) writer.send(frame);
    },
    (error: unknown) => error instanceof ChannelFullError && error.code === 'ERR_CHANNEL_FULL',
  );
  assert.ok(writer.pendingBytes >= 50_000 && writer.pendingBytes < 51_000, `${writer.pendingBytes} bytes wait`);
  assert.equal(writer.send(frame, true), false);
  count++;
  assert.equal(drained, 0);
  await channel.arrived(count);
  while (drained === 0) await turn();
  assert.equal(drained, 1);
  assert.equal(channel.got.length, count);
  assert.equal(writer.send(frame), true);
});

test('what crosses beside the ring is bounded too', async () => {
  await using channel = pair(4_096, { spinUs: 0 });
  for (let i = 0; i < 20; i++) channel.writer.send([i, new Uint8Array(1_024 * 1_024)]);
  channel.writer.flush();
  const waiting = channel.writer.pendingBytes;
  assert.ok(waiting > 11 * 1_024 * 1_024 && waiting < 14 * 1_024 * 1_024, `${waiting} bytes wait`);
  await channel.arrived(20);
  assert.deepEqual(
    channel.got.map(([i]) => i),
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test('marked buffers cross beside the ring, among others', async () => {
  await using channel = pair(4_096, { spinUs: 0 });
  const buffers = Array.from({ length: 3 }, (_, i) => transfer(new Uint8Array(100).fill(i).buffer));
  channel.writer.send([0, buffers[0]]);
  channel.writer.send([1, 'between']);
  channel.writer.send([2, { both: [buffers[1], buffers[2]], shared: new SharedArrayBuffer(4) }]);
  assert.deepEqual(
    buffers.map(({ byteLength }) => byteLength),
    [0, 0, 0],
  );
  await channel.arrived(3);
  const filled = (value: number): ArrayBuffer => new Uint8Array(100).fill(value).buffer;
  assert.deepEqual(channel.got, [
    [0, filled(0)],
    [1, 'between'],
    [2, { both: [filled(1), filled(2)], shared: new SharedArrayBuffer(4) }],
  ]);
});

test('what is refused when it is sent leaves the channel as it was', async () => {
  await using channel = pair(4_096, { spinUs: 0 });
  channel.writer.send([0, { a: 1 }]);
  assert.throws(() => channel.writer.send([1, { f: () => {} }]), NotTransferableError);
  channel.writer.send([2, { a: 2 }]);
  await channel.arrived(2);
  assert.deepEqual(channel.got, [
    [0, { a: 1 }],
    [2, { a: 2 }],
  ]);
});

test('what turns out to be impossible when it is encoded is reported, and nothing else is lost', async () => {
  await using channel = pair(4_096, { spinUs: 0 });
  const trap = (): object => {
    let reads = 0;
    return {
      get value(): number {
        if (++reads > 1) throw new Error('second time');
        return 1;
      },
    };
  };
  const bad = [2, trap()];
  const buffer = transfer(new ArrayBuffer(4));
  channel.writer.send([0, { a: 1 }]);
  channel.writer.flush();
  channel.writer.send([1, { a: 2, fresh: 1, buffer }]);
  channel.writer.send(bad);
  channel.writer.send([3, { a: 3, fresh: 2, '\ud800': 1 }]);
  channel.writer.flush();
  channel.writer.send([4, { a: 4 }]);
  await channel.arrived(4);
  const rest = [
    [3, { a: 3, fresh: 2, '\ud800': 1 }],
    [4, { a: 4 }],
  ];
  assert.deepEqual(channel.got, [[0, { a: 1 }], [1, { a: 2, fresh: 1, buffer: new ArrayBuffer(4) }], ...rest]);
  assert.equal(channel.refused.length, 1);
  assert.equal(channel.refused[0]?.[0], bad);
  assert.match(String(channel.refused[0]?.[1]), /second time/);
});

test('a long queue of frames gives way to other work', async () => {
  let time = 0;
  await using channel = pair(2 ** 20, { spinUs: 0, now: () => time++ * 0.01 });
  for (let i = 0; i < 20_000; i++) channel.writer.send([i]);
  channel.writer.flush();
  let turns = 0;
  while (channel.got.length < 20_000) {
    await turn();
    turns++;
  }
  assert.ok(turns >= 18, `20,000 frames took ${turns} turns`);
});

test('what is sent leaves with the turn, or what follows in a round of the event loop with the round', async () => {
  for (const leaves of ['turn', 'round'] as const) {
    await using channel = pair(4_096, { spinUs: 0, leaves });
    const { writer, reader, got } = channel;
    const sendInTurn = async (frame: Frame): Promise<void> => {
      writer.send(frame);
      await Promise.resolve();
      await Promise.resolve();
      reader.poll();
    };
    for (let round = 0; round < 3; round++) {
      got.length = 0;
      await sendInTurn([1]);
      assert.deepEqual(got, [[1]], leaves);
      await sendInTurn([2]);
      await sendInTurn([3]);
      assert.equal(got.length, leaves === 'turn' ? 3 : 1, leaves);
      await turn();
      reader.poll();
      assert.deepEqual(got, [[1], [2], [3]], leaves);
      await sendInTurn([4]);
      assert.equal(got.length, leaves === 'turn' ? 4 : 3, `${leaves}: the round before has sent`);
      await turn();
      await turn();
      await turn();
      reader.poll();
      assert.equal(got.length, 4, leaves);
    }
    await sendInTurn([5]);
    writer.send([6]);
    writer.flush();
    reader.poll();
    assert.deepEqual(got.slice(4), [[5], [6]], leaves);
  }
});

test('a reader that sleeps is woken at the end of the turn, and within it only when much waits', async () => {
  const { writer: end, reader } = openChannel();
  const writer = new ChannelWriter(end, {}, { onRefused: fail });
  const ring = new RingReader(reader.memory);
  const fallAsleep = (): void => {
    while (ring.read());
    assert.ok(ring.sleep());
  };
  const bells = (): number => {
    let count = 0;
    while (receiveMessageOnPort(reader.port) !== undefined) count++;
    return count;
  };
  fallAsleep();
  for (let i = 0; i < 3 * CHANNEL_BATCH_FRAMES; i++) writer.send([1, i]);
  assert.ok(!ring.isEmpty(), 'full batches are written at once');
  assert.equal(bells(), 0);
  await Promise.resolve();
  assert.equal(bells(), 1);
  fallAsleep();
  const text = 'x'.repeat(CHANNEL_BELL_BYTES / 4);
  for (let i = 0; i < 8 * CHANNEL_BATCH_FRAMES; i++) writer.send([1, text]);
  assert.equal(bells(), 1);
  await Promise.resolve();
  assert.equal(bells(), 0, 'it is awake');
  writer.close();
  reader.port.close();
});

test('a reader spins after short pauses, less often if in vain, then sleeps and costs nothing', async () => {
  let time = 0;
  let looks = 0;
  const now = (): number => {
    looks++;
    time += 0.01;
    return time;
  };
  await using channel = pair(4_096, { spinUs: 100, now });
  let sent = 0;
  /** Whether it looked again after a message, by its own, before it went to sleep. */
  const spinsAfterMessage = async (pauseMs: number): Promise<boolean> => {
    time += pauseMs;
    channel.writer.send([sent++]);
    await channel.arrived(sent);
    await turn();
    let spun = false;
    for (let before = -1; before !== looks; ) {
      before = looks;
      await turn();
      await turn();
      spun ||= looks > before;
    }
    return spun;
  };
  const spun = async (messages: number, pauseMs: number): Promise<number> => {
    let count = 0;
    for (let i = 0; i < messages; i++) if (await spinsAfterMessage(pauseMs)) count++;
    return count;
  };
  await spinsAfterMessage(1_000);
  const afterShort = await spun(128, 0);
  assert.ok(afterShort >= 2 && afterShort <= 8, `it span ${afterShort} times of 128, always in vain`);
  assert.equal(await spun(128, 1_000), 0);
});

test('an error of the host at one frame is its own, and the others come', async () => {
  const ends = openChannel();
  const got: unknown[] = [];
  const writer = new ChannelWriter(ends.writer, {}, { onRefused: assert.fail });
  const onFrame = ([i]: unknown[]): void => {
    if (i === 1) throw new Error('of the host');
    got.push(i);
  };
  const reader = new ChannelReader(ends.reader, {}, onFrame, { onLost: fail });
  for (let i = 0; i < 4; i++) writer.send([i]);
  writer.flush();
  assert.throws(() => reader.poll(), /of the host/);
  assert.equal(reader.poll(), 2);
  assert.deepEqual(got, [0, 2, 3]);
  writer.close();
  reader.close();
  await turn();
});

test('a closed writer takes nothing more; what it had written is read, what waited is counted', async () => {
  const ends = openChannel(4_096);
  const got: unknown[] = [];
  const writer = new ChannelWriter(ends.writer, {}, { onRefused: assert.fail });
  for (let i = 0; i < 100; i++) {
    writer.send([i, 'x'.repeat(200)]);
    if (i % 2 === 0) writer.flush();
  }
  const lost = writer.close();
  assert.ok(lost > 0 && lost < 100);
  assert.equal(writer.close(), 0);
  assert.throws(() => writer.send([1]), ChannelClosedError);
  const reader = new ChannelReader(ends.reader, {}, ([i]) => got.push(i), { onLost: fail });
  while (got.length < 100 - lost) await turn();
  assert.deepEqual(
    got,
    Array.from({ length: 100 - lost }, (_, i) => i),
  );
  reader.close();
  assert.equal(reader.poll(), 0);
});
