/** Two systems in one program share nothing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mcpNode } from '../../mcp/index.ts';
import { name, type System, startSystem } from '../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../transports/http/index.ts';
import { HttpSession } from '../support/mcp-http-client.ts';
import { Gate, testServer } from '../support/mcp-tools.ts';
import { killSystem } from '../support/test-system.ts';

test('two systems with the same names do not see each other; one stops, the other serves', async (t) => {
  const gates = [new Gate(), new Gate()];
  const systems = await Promise.all(
    gates.map((gate) =>
      startSystem({
        children: [mcpNode('mcp', { servers: [testServer(gate)], transports: [streamableHttp({ port: 0 })] })],
      }),
    ),
  );
  for (const system of systems) t.after(() => killSystem(system));
  const urls = await Promise.all(
    systems.map(async (system) => (await system.call(listenerName('http'), 'address')).url),
  );
  const [one, other] = systems as [System, System];
  const sessions = await Promise.all(urls.map((url) => HttpSession.open(url)));
  const [ofOne, ofOther] = sessions as [HttpSession, HttpSession];
  const registry = name('mcp_registry');
  assert.notEqual(one.whereis(registry), other.whereis(registry));
  assert.equal(other.whereis(name(`mcp_session:${ofOne.id}`)), undefined);
  assert.equal(one.table<string, unknown>('mcp_sessions')?.has(ofOther.id), false);

  const strayed = HttpSession.named(urls[1]!, ofOne.id);
  assert.equal((await strayed.request('tools/list').ended).status, 404);
  const held = sessions.map((session) => session.tool('hold', { key: 'same' }, { id: 'same' }));
  const calls = await Promise.all(gates.map((gate) => gate.held('same')));
  other.exitProcess(other.whereis(registry)!, 'kill');
  await ofOther.notify('notifications/cancelled', { requestId: 'same' });
  assert.equal((await held[1]!.answer()).error.code, -32600);
  assert.equal(calls[0]!.ctx.signal.aborted, false, 'the same id in the other system is another request');

  const stopped = one.stop();
  calls[0]!.release();
  assert.equal((await held[0]!.answer()).result.content[0].text, 'released same');
  await stopped;
  await assert.rejects(ofOne.request('tools/list').ended, /ECONNREFUSED|ECONNRESET|socket hang up/);
  assert.match((await ofOther.tool('echo', { text: 'x' }).answer()).result.content[0].text, /^x, said to test/);
  assert.equal(one.whereis(registry), undefined);
  assert.ok(other.whereis(registry));
  for (const { client } of [strayed, ofOne, ofOther]) client.close();
});
