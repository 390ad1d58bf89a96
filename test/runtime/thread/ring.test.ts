/** The ring alone, and the moments between two steps of one side in which the other side acts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openChannel } from '../../../runtime/thread/channel.ts';
import { ChannelReader } from '../../../runtime/thread/channel-reader.ts';
import { ChannelWriter } from '../../../runtime/thread/channel-writer.ts';
import { Decoder } from '../../../runtime/thread/codec.ts';
import { createRing, RingReader, RingWriter } from '../../../runtime/thread/ring.ts';

const capacity = 4_096;

function ends(): { writer: RingWriter; reader: RingReader } {
  const memory = createRing(capacity);
  return { writer: new RingWriter(memory), reader: new RingReader(memory) };
}

const record = (reader: RingReader): number[] => [...reader.record.subarray(0, reader.length)];

test('records come out as they went in, for any lengths, and are refused only without room', () => {
  const step = fc.oneof(fc.constant('read'), fc.uint8Array({ maxLength: 600 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const { writer, reader } = ends();
      const inside: Uint8Array[] = [];
      const check = (): void => {
        const expected = inside.shift();
        assert.equal(reader.read(), expected !== undefined);
        if (expected !== undefined) assert.deepEqual(record(reader), [...expected]);
      };
      for (const each of steps) {
        if (typeof each === 'string') check();
        else {
          const used = inside.reduce((sum, { length }) => sum + 8 + Math.ceil(length / 8) * 8, 0);
          const fits = 8 + Math.ceil(each.length / 8) * 8 <= capacity - used;
          assert.equal(writer.write(each, 5), fits);
          if (fits) inside.push(each);
        }
      }
      while (inside.length > 0) check();
      assert.ok(reader.isEmpty());
    }),
  );
});

test('a record is published when its bytes are there', (t) => {
  const { writer, reader } = ends();
  const { store } = Atomics;
  let seen = 0;
  t.mock.method(Atomics, 'store', (array: Int32Array, index: number, value: number) => {
    const result = store(array, index, value);
    // The reader looks in the very moment of each store of the writer.
    if (seen >= 0 && reader.read()) {
      assert.deepEqual(record(reader), Array(100).fill(seen + 1));
      seen++;
    }
    return result;
  });
  for (let i = 1; i <= 200; i++) writer.write(new Uint8Array(100).fill(i), 0);
  assert.equal(seen, 200);
});

test('a reader that goes to sleep sees what came before its flag; else the writer sees the flag, once', () => {
  const { writer, reader } = ends();
  assert.ok(reader.isEmpty());
  writer.write(Buffer.from('a'), 0);
  assert.equal(writer.mustRing(), false, 'nobody sleeps yet');
  assert.equal(reader.sleep(), false, 'so it must not sleep');
  assert.ok(reader.read());
  assert.equal(reader.sleep(), true);
  writer.write(Buffer.from('b'), 0);
  assert.equal(writer.mustRing(), true);
  assert.equal(writer.mustRing(), false);
});

test('room that is made before the writer says that it waits is not missed', async (t) => {
  const channel = openChannel(capacity);
  const fail = (error: unknown): never => {
    throw error;
  };
  const got: unknown[] = [];
  const writer = new ChannelWriter(channel.writer, {}, { onRefused: (_frame, error) => fail(error) });
  const reader = new ChannelReader(channel.reader, {}, ([i]) => got.push(i), { onLost: fail, spinUs: 0 });
  const { wantRoom } = RingWriter.prototype;
  let waits = 0;
  t.mock.method(RingWriter.prototype, 'wantRoom', function (this: RingWriter) {
    waits++;
    reader.poll();
    wantRoom.call(this);
  });
  for (let i = 0; waits === 0; i++) {
    writer.send([i, 'x'.repeat(300)]);
    writer.flush();
  }
  const { pendingBytes } = writer;
  writer.close();
  reader.poll();
  reader.close();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(pendingBytes, 0, 'it looked again');
  assert.deepEqual(
    got,
    Array.from(got, (_, i) => i),
  );
});

test('after a batch that can not be read, those that build on it are reported, until one begins anew', async (t) => {
  const channel = openChannel(capacity);
  const got: unknown[] = [];
  const lost: string[] = [];
  const refused: unknown[] = [];
  const writer = new ChannelWriter(channel.writer, {}, { onRefused: (frame) => refused.push(frame) });
  const onLost = (error: unknown): void => void lost.push(String(error));
  const reader = new ChannelReader(channel.reader, {}, (frame) => got.push(frame), { onLost });
  const send = (...frames: unknown[][]): void => {
    for (const frame of frames) writer.send(frame);
    writer.flush();
    reader.poll();
  };
  const broken = t.mock.method(Decoder.prototype, 'decode', () => {
    throw new Error('unreadable');
  });
  send([0, { a: 1 }]);
  broken.mock.restore();
  send([1, { a: 1 }]);
  assert.deepEqual(lost, ['Error: unreadable', 'Error: a batch follows one that could not be read']);
  let reads = 0;
  const trap = {
    get value(): number {
      if (++reads > 1) throw new Error('second time');
      return 1;
    },
  };
  send([2, trap], [3, { a: 3 }]);
  assert.equal(refused.length, 1);
  assert.deepEqual(got, [[3, { a: 3 }]]);
  writer.close();
  reader.close();
  await new Promise((resolve) => setImmediate(resolve));
});

test('a ring has a power of two of bytes', () => {
  assert.throws(() => createRing(5_000), /power of two of bytes, at least 4096, not 5000/);
  assert.throws(() => createRing(64), RangeError);
});
