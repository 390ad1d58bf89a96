import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventStream } from '../../../transports/client/event-stream.ts';

function read(text: string, lengthMax = 1_000): { events: unknown[]; stream: EventStream } {
  const stream = new EventStream(lengthMax);
  return { events: stream.push(text), stream };
}

test('events are cut at blank lines, whatever ends a line', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const text = ['data: a', '', ': a comment', 'data: b', 'data: c', '', 'data', '', ': end', ''].join(end);
    assert.deepEqual(read(text).events, [{ data: 'a' }, { data: 'b\nc' }], JSON.stringify(end));
  }
});

test('ids and the time to wait are kept, also of events without data', () => {
  const { events, stream } = read('id: 1\nretry: 2000\ndata: \n\nid: 2\nevent: message\ndata: x\n\nid: 3\n');
  assert.deepEqual(events, [{ data: 'x' }]);
  assert.deepEqual([stream.lastEventId, stream.retryMs], ['2', 2_000]);
  assert.equal(read('id: a\0b\nretry: soon\ndata: x\n\n').stream.lastEventId, undefined);
});

test('events of another type are no messages', () => {
  assert.deepEqual(read('event: ping\ndata: x\n\ndata: y\n\n').events, [{ data: 'y' }]);
});

test('a byte order mark at the beginning is no part of a field', () => {
  assert.deepEqual(read('\uFEFFdata: x\n\n').events, [{ data: 'x' }]);
});

test('an event past the bound is reported and not kept; the next one is whole', () => {
  const long = 'x'.repeat(50);
  const fault = { fault: 'message_too_long' };
  assert.deepEqual(read(`data: ${long}\n\ndata: ok\n\n`, 20).events, [fault, { data: 'ok' }]);
  const many = 'data: 12345\n'.repeat(5);
  assert.deepEqual(read(`${many}\ndata: ok\n\n`, 20).events, [fault, { data: 'ok' }]);
});

test('property: it makes no difference where the text is cut', () => {
  const line = fc.constantFrom(
    'data: a',
    'data:b',
    'data',
    'id: 7',
    'event: x',
    'event: message',
    ': c',
    '',
    'retry: 5',
  );
  const end = fc.constantFrom('\n', '\r\n', '\r');
  const text = fc.array(fc.tuple(line, end), { maxLength: 20 }).map((lines) => lines.flat().join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 8 })), (whole, cuts) => {
      const closed = `${whole}\n: end\n`; // what a \r at the end is, is known only then
      const expected = read(closed).events;
      const stream = new EventStream(1_000);
      const events: unknown[] = [];
      let at = 0;
      for (const cut of cuts) {
        events.push(...stream.push(closed.slice(at, at + cut)));
        at += cut;
      }
      events.push(...stream.push(closed.slice(at)));
      assert.deepEqual(events, expected);
    }),
  );
});

test('property: what is kept of a line without an end stays within the bound', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 30 }), { maxLength: 50 }), (pieces) => {
      const stream = new EventStream(100);
      for (const piece of pieces) stream.push(`data${piece.replaceAll(/[\r\n]/g, '')}`);
      const kept = (stream as unknown as { parts: string[] }).parts.join('').length;
      assert.ok(kept <= 100 + 34, `${kept} characters`);
    }),
  );
});
