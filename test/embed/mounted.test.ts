/** MCP under a `node:http` server that the program has already. */

import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { mcpNode } from '../../mcp/index.ts';
import { name, type System, startSystem } from '../../runtime/index.ts';
import { mountHttp } from '../../transports/http/index.ts';
import { HttpClient, HttpSession } from '../support/mcp-http-client.ts';
import { Gate, testServer } from '../support/mcp-tools.ts';
import { killSystem } from '../support/test-system.ts';

interface Mounted {
  readonly system: System;
  readonly gate: Gate;
  readonly url: string;
  readonly own: string;
}

/** A program's own `node:http` server, one path of which is MCP. */
async function mounted(t: TestContext): Promise<Mounted> {
  const gate = new Gate();
  const mcp = mountHttp({ path: '/mcp' });
  const system = await startSystem({
    children: [mcpNode('mcp', { servers: [testServer(gate)], transports: [mcp] })],
  });
  const handle = mcp.handler(system);
  const server = http.createServer((request, response) => {
    if (request.url === '/own') response.end('the program itself');
    else handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    await killSystem(system);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { system, gate, url: `${origin}/mcp`, own: `${origin}/own` };
}

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();

test('both eras, progress, and the rest of the program beside it', async (t) => {
  const { gate, url, own } = await mounted(t);
  const session = await HttpSession.open(url);
  const exchange = session.tool('hold', { key: 'a' }, { id: 'h', meta: { progressToken: 1 } });
  const call = await gate.held('a');
  call.ctx.progress(1, 2);
  assert.equal((await exchange.message(0)).params.progress, 1);
  assert.equal(await textOf(own), 'the program itself');
  const client = new HttpClient(url);
  const answer = await client.stateless('tools/call', { name: 'whoami' }).answer();
  assert.equal(answer.result.structuredContent.era, 'stateless');
  call.release();
  assert.equal((await exchange.answer()).result.content[0].text, 'released a');
  assert.equal((await session.end()).status, 204);
  assert.equal((await session.request('tools/list').ended).status, 404);
  for (const each of [client, session.client]) each.close();
});

test('a client that leaves cancels its stateless call; the system recovers under its server', async (t) => {
  const { system, gate, url, own } = await mounted(t);
  const client = new HttpClient(url);
  const exchange = client.stateless('tools/call', { name: 'hold', arguments: { key: 'a' } });
  const { ctx } = await gate.held('a');
  const aborted = new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  exchange.leave();
  await aborted;
  const session = await HttpSession.open(url);
  const pid = system.whereis(name(`mcp_session:${session.id}`));
  assert.ok(pid);
  system.exitProcess(pid, 'kill');
  assert.match((await session.tool('echo', { text: 'x' }).answer()).result.content[0].text, /^x, said to test/);
  assert.equal(await textOf(own), 'the program itself');
  for (const each of [client, session.client]) each.close();
});

test('when the system has stopped, its endpoint is 503 and the program goes on', async (t) => {
  const { system, gate, url, own } = await mounted(t);
  const session = await HttpSession.open(url);
  const exchange = session.tool('hold', { key: 'a' });
  const call = await gate.held('a');
  const stopped = system.stop();
  call.release();
  assert.equal((await exchange.answer()).result.content[0].text, 'released a', 'what is open is finished');
  await stopped;
  const after = await session.request('tools/list').ended;
  assert.deepEqual([after.status, after.messages[0].error.data.reason], [503, 'unavailable']);
  assert.equal(await textOf(own), 'the program itself');
  session.client.close();
});
