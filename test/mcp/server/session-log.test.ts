import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MCP_LIMITS, mcpLimits } from '../../../mcp/limits.ts';
import { type Send, SessionLog, type Sink } from '../../../mcp/server/session-log.ts';

const connection = (name: string): any => ({ toString: () => name });
const [a, b] = [connection('a'), connection('b')];
const pid = connection('request');
const note = (n: number): object => ({ method: `n${n}` });
const sink = (to: any, exchange = 1): Sink => ({ connection: to, exchange });

function said(sends: Send[] | string): unknown[] {
  assert.ok(Array.isArray(sends), String(sends));
  return sends.flatMap(({ outbound }) => (outbound.message === undefined ? [] : [outbound.message]));
}

const recorded = (stream: string, n: number, end = false) =>
  ({ stream, n, message: { n }, end, pid, requestId: 1 }) as const;

test('what waits goes to the first who listens, and what comes to the newest', () => {
  const log = new SessionLog(MCP_LIMITS);
  assert.deepEqual(log.notify(note(1)), []);
  assert.deepEqual(log.notify(note(1)), [], 'it waits already');
  log.notify(note(2));
  const sends = log.attach(sink(a)) as Send[];
  assert.deepEqual(said(sends), [note(1), note(2)]);
  assert.deepEqual(sends[0]?.outbound, { exchange: 1, end: false, sse: { id: '-1-own' } });
  assert.deepEqual(said(log.attach(sink(b))), []);
  const [send] = log.notify(note(1));
  assert.deepEqual([send?.to, send?.outbound.sse?.id], [b, '2-own']);
  log.lost(b);
  assert.equal(log.notify(note(3))[0]?.to, a);
  log.detach(sink(a, 2));
  assert.equal(log.inUse, true, 'that was another exchange');
  log.detach(sink(a));
  assert.equal(log.inUse, false);
});

test('the stream of a connection has no opening, and its session ends without a word to it', () => {
  const log = new SessionLog(MCP_LIMITS);
  assert.deepEqual(log.attach(sink(a, 0)), []);
  log.attach(sink(b));
  assert.deepEqual(log.close(), [{ to: b, outbound: { exchange: 1, end: true } }]);
});

test('the end of a request that has not answered is an answer, once', () => {
  const log = new SessionLog(MCP_LIMITS);
  log.record(recorded('s', 0));
  log.resume(sink(a), '0-s');
  assert.deepEqual(log.requests, [{ pid, id: 1 }]);
  const answer = (id: unknown): object => ({ id, error: 'lost' });
  const sends = log.requestEnded(pid, answer);
  assert.deepEqual(said(sends), [{ id: 1, error: 'lost' }]);
  assert.equal(sends[0]?.outbound.end, true);
  assert.deepEqual(log.requestEnded(pid, answer), []);
  assert.deepEqual(log.record(recorded('s', 9)), [], 'what comes too late is not sent');
  assert.equal(log.inUse, false);
});

test('what is kept is bounded, in events and in characters; the newest is kept', () => {
  const small = new SessionLog(mcpLimits({ sessionEventsMax: 3 }));
  for (let n = 0; n < 10; n++) small.record(recorded('s', n));
  assert.deepEqual(said(small.resume(sink(a), '0-s')), [{ n: 7 }, { n: 8 }, { n: 9 }]);
  const narrow = new SessionLog(mcpLimits({ sessionEventCharsMax: 20 }));
  for (let n = 0; n < 5; n++) narrow.notify(note(n));
  assert.deepEqual(said(narrow.attach(sink(a))), [note(4)]);
});

test('a stream that has ended and is forgotten is unknown', () => {
  const log = new SessionLog(mcpLimits({ sessionEventsMax: 2 }));
  log.record(recorded('old', 0, true));
  for (let n = 0; n < 3; n++) log.record(recorded('new', n));
  assert.equal(log.resume(sink(a), '0-old'), 'unknown');
});

test('wherever a client breaks off, it gets every event of a stream once and in order', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (breaks) => {
      const log = new SessionLog(MCP_LIMITS);
      const got: number[] = [];
      let last = '0-s';
      const take = (sends: readonly Send[]): void => {
        for (const { outbound } of sends) {
          const { n } = (outbound.message ?? {}) as { n?: number };
          if (n !== undefined && n > 0) got.push(n);
          last = outbound.sse?.id ?? last;
        }
      };
      log.record(recorded('s', 0));
      let n = 0;
      for (const away of breaks) {
        if (away) {
          log.lost(a);
          take(log.record(recorded('s', ++n)));
          take(log.resume(sink(a), last) as Send[]);
        }
        take(log.record(recorded('s', ++n)));
      }
      log.lost(a);
      take(log.resume(sink(a), last) as Send[]);
      assert.deepEqual(
        got,
        Array.from({ length: n }, (_, index) => index + 1),
      );
    }),
  );
});
