/** Secrets of requests: found by who asks for them, and by nobody who prints, copies or reports. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { startSystem } from '../../runtime/index.ts';
import { Credentials } from '../../transports/credentials.ts';
import { listenerName, streamableHttp } from '../../transports/http/index.ts';
import { streamableHttp2 } from '../../transports/http2/index.ts';
import { SystemEvents } from '../support/mcp-events.ts';
import { killSystem, systemName } from '../support/test-system.ts';
import { Observer } from './probe-endpoint.ts';

test('credentials show themselves to nobody who does not ask', () => {
  const credentials = new Credentials('Bearer secret');
  const shown = [
    inspect(credentials, { showHidden: true, depth: 9 }),
    JSON.stringify({ credentials }),
    String(credentials),
    JSON.stringify(structuredClone(credentials)),
    inspect({ ...credentials }),
  ];
  assert.equal(shown.join().includes('secret'), false);
  assert.equal(credentials.reveal(), 'Bearer secret');
  assert.equal(credentials.equals(new Credentials('Bearer secret')), true);
  assert.equal(credentials.equals(new Credentials('Bearer other')), false);
});

for (const [name, transport] of [
  ['HTTP/1.1', streamableHttp({ port: 0 })],
  ['HTTP/2', streamableHttp2({ port: 0, id: 'http' })],
] as const) {
  test(`the header Authorization reaches the endpoint, and no report when that throws: ${name}`, async (t) => {
    const observer = new Observer();
    const system = await startSystem({ name: systemName(), children: [transport.childSpec(observer.spec)] });
    t.after(() => killSystem(system));
    const events = new SystemEvents(t, system.name);
    const { url } = await system.call(listenerName('http'), 'address');
    const headers = { 'content-type': 'application/json', authorization: 'Bearer secret' };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'fall' });
    assert.equal((await fetch(url, { method: 'POST', headers, body })).status, 500);
    await events.crash(/the endpoint fell/);
    const { inbound } = await observer.inbound('fall');
    assert.deepEqual(
      [inbound.http?.authorization?.reveal(), inbound.http?.headers['authorization']],
      ['Bearer secret', undefined],
    );
    assert.match(JSON.stringify(events.crashes[0]?.lastMessage), /fall/);
    const reports = inspect([events.crashes, events.reports, events.exits], { depth: 12, showHidden: true });
    assert.equal(reports.includes('secret'), false);
  });
}
