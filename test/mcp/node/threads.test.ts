/** Code of servers on worker threads: what it does there, and what its worst faults cost. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadId } from 'node:worker_threads';
import { mcpNode } from '../../../mcp/index.ts';
import { type System, startSystem, type WorkersOptions } from '../../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { memory } from '../../../transports/memory.ts';
import faulty from '../../support/faulty-server.ts';
import { answererWays } from '../../support/mcp-answerers.ts';
import { HttpSession } from '../../support/mcp-http-client.ts';
import { type Caller, ways } from '../../support/mcp-ways.ts';
import { type Cleanup, systemName } from '../../support/test-system.ts';

async function startThreadedNode(
  t: Cleanup,
  // Else a thread that has much to do is helped by another, and calls are where nobody foresees it.
  workers: WorkersOptions = { busyMs: 0 },
): Promise<{ readonly system: System; readonly url: string }> {
  const transports = [streamableHttp({ port: 0 }), memory()];
  const limits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 };
  const system = await startSystem({
    name: systemName(),
    threads: { cpu: { count: 1, resourceLimits: limits } },
    workers,
    children: [mcpNode('mcp', { servers: [faulty], transports })],
  });
  t.after(() => system.stop());
  const { url } = await system.call(listenerName('http'), 'address');
  return { system, url };
}

async function said(caller: Caller, tool: string): Promise<string> {
  const { result } = await caller.call(tool).answer;
  return result.content[0].text;
}

for (const way of ways) {
  test(`${way.name}: tools run on the group, apart, or on the main thread, as they ask for`, async (t) => {
    const node = await startThreadedNode(t);
    const caller = await way.open(node as never);
    t.after(() => caller.leave());
    assert.equal(await said(caller, 'main'), String(threadId));
    const [once, again, apart] = [
      await said(caller, 'where'),
      await said(caller, 'where'),
      await said(caller, 'apart'),
    ];
    assert.equal(once, again);
    assert.equal(new Set([String(threadId), once, apart]).size, 3);
  });

  test(`${way.name}: progress, errors and what is left behind come from another thread as from this one`, async (t) => {
    const node = await startThreadedNode(t);
    const caller = await way.open(node as never);
    t.after(() => caller.leave());
    const call = caller.call('tells', {}, { progressToken: 'p', id: 'one' });
    const told = JSON.parse((await call.answer).result.content[0].text);
    assert.deepEqual(told, [way.era === 'sessions', way.era, 'faulty', 'one']);
    const progress = call.messages.filter(({ method }) => method === 'notifications/progress');
    assert.deepEqual(
      progress.map(({ params }) => [params.progress, params.total, params.message]),
      [[1, 2, 'half']],
    );
    const thrown = (await caller.call('throws').answer).result;
    assert.deepEqual([thrown.isError, thrown.content[0].text], [true, 'thrown by the tool']);
    const { error } = await caller.call('later').answer;
    assert.match(error.message, /tool "later" failed: Error: thrown later/);
    const code = (await caller.call('returnsCode').answer).result;
    assert.equal(code.isError, true);
    assert.match(code.content[0].text, /is a function/);
  });
}

for (const way of answererWays) {
  test(`${way.name}: a tool on another thread asks its client`, async (t) => {
    const node = await startThreadedNode(t);
    const client = await way.open(node as never, { elicitation: { form: {} } });
    t.after(() => client.leave());
    const accept = (): object => ({ action: 'accept', content: { name: 'Ada' } });
    const accepted = (await client.ask('tools/call', { name: 'asks' }, accept).answer).result;
    assert.equal(accepted.content[0].text, 'Ada');
    const declined = (await client.ask('tools/call', { name: 'asks' }, () => ({ action: 'decline' })).answer).result;
    assert.equal(declined.content[0].text, 'decline');
    const nobody = await way.open(node as never, {});
    t.after(() => nobody.leave());
    const { error } = await nobody.ask('tools/call', { name: 'asks' }, accept).answer;
    assert.equal(error.code, -32021);
  });
}

test('a call that is cancelled ends on its thread', async (t) => {
  const { url } = await startThreadedNode(t);
  const session = await HttpSession.open(url);
  t.after(() => session.client.close());
  const call = session.tool('waits', {}, { id: 'slow', meta: { progressToken: 1 } });
  await call.message(0);
  await session.notify('notifications/cancelled', { requestId: 'slow' });
  assert.match((await call.answer()).error.message, /cancelled/);
});

const faults = [
  ['loops', /tool "loops" failed: killed/],
  ['exits', /tool "exits" failed: \{"worker_exit":\{"exit_code":7\}\}/],
  ['allocates', /tool "allocates" failed: (?:killed|\{"worker_exit":"oom"\})/],
] as const;

for (const [tool, message] of faults) {
  test(`${tool}: its caller gets an error, and twenty other sessions lose no answer`, async (t) => {
    const { url } = await startThreadedNode(t, { stallMs: 1_000 });
    const sessions = await Promise.all(Array.from({ length: 20 }, () => HttpSession.open(url)));
    t.after(() => {
      for (const { client } of sessions) client.close();
    });
    let ended = false;
    const answered = sessions.map(async (session, i) => {
      let answers = 0;
      // Each goes on until the fault is over, and once more after it.
      for (let last = false; !last; answers++) {
        last = ended;
        const { result, error } = await session.tool('echo', { text: `${i} ${answers}` }).answer();
        assert.equal(result?.content[0].text, `${i} ${answers}`, JSON.stringify(error));
      }
      return answers;
    });
    const culprit = await HttpSession.open(url);
    t.after(() => culprit.client.close());
    const { error } = await culprit.tool(tool).answer();
    ended = true;
    assert.match(error.message, message);
    for (const answers of await Promise.all(answered)) assert.ok(answers > 0);
  });
}
