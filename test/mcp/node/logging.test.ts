/** Log messages: who wants them, and what they are made of. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { name } from '../../../runtime/index.ts';
import { HttpSession } from '../../support/mcp-http-client.ts';
import { libraryServer } from '../../support/mcp-library.ts';
import { startNode } from '../../support/mcp-node.ts';
import { Gate } from '../../support/mcp-tools.ts';
import { type SentCall, ways } from '../../support/mcp-ways.ts';

const levelKey = 'io.modelcontextprotocol/logLevel';

function logged({ messages }: SentCall): unknown[] {
  return messages.filter(({ method }) => method === 'notifications/message').map(({ params }) => params);
}

const info = { level: 'info', logger: 'part', data: { a: [1] } };
const error = { level: 'error', data: 'bad' };

for (const way of ways.filter(({ era }) => era === 'sessions')) {
  test(`a session is sent what it has asked for, else info and graver: ${way.name}`, async (t) => {
    const node = await startNode(t, { servers: [libraryServer(new Gate())] });
    const caller = await way.open(node);
    let seen = 0;
    const logs = async (): Promise<unknown[]> => {
      const sent = caller.call('logs');
      await sent.answer;
      // On a stream all messages come to one list.
      const all = logged(sent);
      const fresh = way.carrier === 'stream' ? all.slice(seen) : all;
      seen = all.length;
      return fresh;
    };
    assert.deepEqual(await logs(), [info, error]);
    assert.deepEqual((await caller.request('logging/setLevel', { level: 'error' }).answer).result, {});
    assert.deepEqual(await logs(), [error]);
    await caller.request('logging/setLevel', { level: 'debug' }).answer;
    assert.deepEqual(await logs(), [{ level: 'debug', data: 'fine' }, info, error]);
    for (const level of ['loud', 'constructor', 5, undefined]) {
      const answer = await caller.request('logging/setLevel', { level }).answer;
      assert.equal(answer.error.code, -32602);
      assert.match(answer.error.message, /params.level must be one of debug, info/);
    }
    caller.leave();
  });
}

for (const way of ways.filter(({ era }) => era === 'stateless')) {
  test(`a stateless request is sent what it asks for itself, else nothing: ${way.name}`, async (t) => {
    const node = await startNode(t, { servers: [libraryServer(new Gate())] });
    const caller = await way.open(node);
    const silent = caller.call('logs');
    await silent.answer;
    assert.deepEqual(logged(silent), []);
    const asking = caller.call('logs', {}, { id: 'asking', meta: { [levelKey]: 'info' } });
    await asking.answer;
    assert.deepEqual(logged(asking), [info, error]);
    const wrong = await caller.call('logs', {}, { id: 'wrong', meta: { [levelKey]: 'loud' } }).answer;
    assert.equal(wrong.error.code, -32602);
    assert.equal(
      (await caller.request('logging/setLevel', { level: 'info' }, { id: 'set' }).answer).error.code,
      -32601,
    );
    caller.leave();
  });
}

for (const way of ways) {
  test(`what is no JSON is logged as a text that says so, and costs nobody anything: ${way.name}`, async (t) => {
    const node = await startNode(t, { servers: [libraryServer(new Gate())] });
    const caller = await way.open(node);
    const sent = caller.call('logsNonsense', {}, { meta: { [levelKey]: 'debug' } });
    assert.equal((await sent.answer).result.content[0].text, 'logged');
    const texts = logged(sent).map(({ data }: any) => data);
    assert.equal(texts.length, 6);
    for (const text of texts) assert.match(text, /^\(not sent: it /);
    assert.deepEqual(node.events.crashes, []);
    caller.leave();
  });
}

test('the level of a session survives the crash of its process', async (t) => {
  const node = await startNode(t, { servers: [libraryServer(new Gate())] });
  const session = await HttpSession.open(node.url);
  await session.request('logging/setLevel', { level: 'emergency' }).ended;
  node.system.exitProcess(node.system.whereis(name(`mcp_session:${session.id}`))!, 'kill');
  assert.equal((await session.tool('logs').ended).messages.length, 1);
  session.client.close();
});
