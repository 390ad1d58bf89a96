import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LINE_NOT_UTF8, LINE_TOO_LONG, type Line, LineSplitter } from '../../transports/line-splitter.ts';

const MAX = 20;

function drain(splitter: LineSplitter): Line[] {
  const lines: Line[] = [];
  for (let line = splitter.next(); line !== undefined; line = splitter.next()) lines.push(line);
  return lines;
}

function split(chunks: readonly Buffer[], lineBytesMax = MAX): Line[] {
  const splitter = new LineSplitter(lineBytesMax);
  const lines = chunks.flatMap((chunk) => {
    splitter.push(chunk);
    return drain(splitter);
  });
  const last = splitter.last();
  return last === undefined ? lines : [...lines, last];
}

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, i) => bytes.subarray(start, at[i] ?? bytes.length));
}

test('lines end with \\n or \\r\\n, blank ones are skipped, the last needs no end', () => {
  assert.deepEqual(split([Buffer.from('one\ntwo\r\n\n \r\n\r\nthree')]), ['one', 'two', 'three']);
});

test('a line of the bound passes, one byte more does not, and the stream goes on', () => {
  const fits = 'a'.repeat(MAX);
  const long = 'b'.repeat(MAX + 1);
  for (const end of ['\n', '\r\n']) {
    assert.deepEqual(split([Buffer.from(`${fits}${end}${long}${end}next${end}`)]), [fits, LINE_TOO_LONG, 'next']);
  }
});

test('of a line without end nothing is kept past the bound, and it is reported once', () => {
  const splitter = new LineSplitter(MAX);
  const lines: Line[] = [];
  for (let i = 0; i < 1_000; i++) {
    splitter.push(Buffer.alloc(100, 'x'));
    lines.push(...drain(splitter));
  }
  assert.deepEqual(lines, [LINE_TOO_LONG]);
  assert.equal(splitter.rest().length, 0);
  splitter.push(Buffer.from('\nok\n'));
  assert.deepEqual(drain(splitter), ['ok']);
});

test('a line that is not UTF-8 is reported, not repaired', () => {
  assert.deepEqual(split([Buffer.from([0x22, 0xff, 0x22, 0x0a]), Buffer.from('ok\n')]), [LINE_NOT_UTF8, 'ok']);
});

test('what was not asked for stays, and the rest goes to another reader', () => {
  const splitter = new LineSplitter(MAX);
  splitter.push(Buffer.from('one\ntwo\nthr'));
  assert.equal(splitter.next(), 'one');
  assert.equal(splitter.isEmpty, false);
  splitter.push(Buffer.from('ee\n'));
  assert.equal(splitter.rest().toString(), 'two\nthree\n');
  assert.equal(splitter.isEmpty, true);
  splitter.push(Buffer.from('half'));
  assert.deepEqual(drain(splitter), []);
  assert.equal(splitter.rest().toString(), 'half');
});

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((line) => line.replace(/[\r\n]/g, '_'));

test('property: how the bytes are cut does not change the lines', () => {
  fc.assert(
    fc.property(fc.array(text), fc.constantFrom('\n', '\r\n'), fc.array(fc.nat(500)), (lines, end, places) => {
      const bytes = Buffer.from(lines.map((line) => line + end).join(''));
      const expected = lines
        .filter((line) => line.trim() !== '')
        .map((line) => (Buffer.byteLength(line) > MAX ? LINE_TOO_LONG : line));
      assert.deepEqual(split(cut(bytes, places)), expected);
    }),
    { numRuns: 2_000 },
  );
});

test('property: any bytes, in any pieces, give the same lines', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => {
    const noisy = Buffer.from(array);
    for (let i = 0; i < noisy.length; i += 7) noisy[i] = 10;
    return noisy;
  });
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(200)), (whole, places) => {
      assert.deepEqual(split(cut(whole, places)), split([whole]));
    }),
    { numRuns: 2_000 },
  );
});
