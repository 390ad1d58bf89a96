import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { call, post, RawSocket, turns, withHttp } from './client.ts';

const json = 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const body = (method: string, params: unknown): string => post(JSON.stringify({ id: 1, method, params }));

/** What a client does on its socket before it leaves, well-formed or not, whole or cut. */
const move = fc.oneof(
  fc.constantFrom(
    body('echo', 'x'),
    body('hold', 0),
    body('stream', { count: 20 }),
    body('flood', { count: 200, bytes: 1_000 }),
    body('bigint', 0),
    body('fall', 0),
    body('die', 0),
    post('{"method":"note"}'),
    post('{'),
    'GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'CONNECT /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n',
    `${json}Transfer-Encoding: chunked\r\n\r\n5\r\n"abcd`,
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const client = fc.record({
  moves: fc.array(move, { minLength: 1, maxLength: 6 }),
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
  leave: fc.constantFrom('destroy', 'end', 'reset', 'wait'),
});

test('property: whatever clients do, and however they leave, the next one is served and no process is left over', () =>
  withHttp({ drainTimeoutMs: 20, queuedBytesMax: 50_000 }, async ({ address, system }) => {
    const idle = system.processCount;
    await fc.assert(
      fc.asyncProperty(fc.array(client, { minLength: 1, maxLength: 8 }), async (clients) => {
        const sockets = clients.map(({ moves, cut, leave }) => {
          const raw = new RawSocket(address.port);
          const text = moves.join('');
          raw.write(leave === 'wait' ? text : text.slice(0, Math.ceil(text.length * cut)));
          return { raw, leave };
        });
        await turns(5);
        for (const { raw, leave } of sockets) {
          if (leave === 'end') raw.socket.end();
          else if (leave === 'reset') raw.socket.resetAndDestroy();
          else raw.socket.destroy();
        }
        assert.equal((await call(address.port, 'echo', 'served')).status, 200);
        await Promise.all(sockets.map(({ raw }) => raw.closed));
        while (system.processCount > idle) await turns(1);
      }),
      { numRuns: 80 },
    );
  }));
