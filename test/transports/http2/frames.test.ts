import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { spokenProtocol } from '../../../transports/http2/first-bytes.ts';
import { FrameAllowance } from '../../../transports/http2/frame-allowance.ts';

test('an allowance lets so many pass at once, and no more than flow back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }),
      (max, windowMs, gaps) => {
        const allowance = new FrameAllowance(max, windowMs);
        let now = 1_000_000;
        let level = 0;
        for (const gap of gaps) {
          now += gap;
          level = Math.max(0, level - gap * (max / windowMs)) + 1;
          assert.equal(allowance.take(now), level <= max);
        }
        const fresh = new FrameAllowance(max, windowMs);
        for (let n = 0; n < max; n++) assert.equal(fresh.take(5), true);
        assert.equal(fresh.take(5), false);
      },
    ),
  );
});

test('the preface is HTTP/2, its beginnings are undecided, everything else is HTTP/1.1', () => {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  for (let length = 0; length < preface.length; length++) {
    assert.equal(spokenProtocol(preface.subarray(0, length)), 'undecided');
  }
  assert.equal(spokenProtocol(preface), 'h2');
  assert.equal(spokenProtocol(Buffer.concat([preface, Buffer.from([0, 0, 0, 4])])), 'h2');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      const isBeginning = preface.subarray(0, bytes.length).equals(bytes.slice(0, preface.length));
      assert.equal(spokenProtocol(Buffer.from(bytes)) === 'http/1.1', !isBeginning);
    }),
  );
  for (const method of ['P', 'PO', 'PUT /', 'GET /', 'PRI * HTTP/1.1']) {
    assert.equal(spokenProtocol(Buffer.from(method)), method === 'P' ? 'undecided' : 'http/1.1', method);
  }
});
