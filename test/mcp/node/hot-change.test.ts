/** Servers that change while they serve: who sees what, who is told, and that no call is dropped. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changeServer,
  mcpServer,
  prompt,
  resource,
  resourceTemplate,
  resourceUpdated,
  text,
  tool,
  userMessage,
} from '../../../mcp/index.ts';
import { name } from '../../../runtime/index.ts';
import { HttpClient, HttpSession } from '../../support/mcp-http-client.ts';
import { listenWays } from '../../support/mcp-listeners.ts';
import { kill, killAt, startNode, wholeAgain } from '../../support/mcp-node.ts';
import { testServer } from '../../support/mcp-tools.ts';
import { ways } from '../../support/mcp-ways.ts';

const address = { node: 'mcp', name: 'test' };
const nothing = { type: 'object' } as const;
const saying = (said: string, description = 'Says it.') => tool({ description, input: nothing }, () => text(said));
const saidBy = async (session: HttpSession, name: string): Promise<string> =>
  (await session.tool(name).answer()).result.content[0].text;

for (const way of listenWays) {
  const all = { toolsListChanged: true, resourcesListChanged: true, promptsListChanged: true };

  test(`who listens is told which lists have changed, and sees them changed: ${way.name}`, async (t) => {
    const node = await startNode(t);
    await changeServer(node.system, address, {
      resources: { 'a://0': resource({}, () => '0') },
      prompts: { p: first },
    });
    const listener = await way.open(node, all);
    await changeServer(node.system, address, { tools: { added: saying('added'), hold: null } });
    const told = await listener.hear('notifications/tools/list_changed');
    const subscription = { 'io.modelcontextprotocol/subscriptionId': 'listen' };
    assert.deepEqual(told.params, way.era === 'stateless' ? { _meta: subscription } : undefined);
    const { tools } = (await listener.ask('tools/list')).result;
    const names = tools.map((each: { name: string }) => each.name);
    assert.ok(names.includes('added') && !names.includes('hold'));
    await changeServer(node.system, address, { prompts: { p: second } });
    await listener.hear('notifications/prompts/list_changed');
    assert.equal((await listener.ask('prompts/list')).result.prompts[0].description, 'second');
    await changeServer(node.system, address, { templates: { t: resourceTemplate('a://{x}', {}, ({ x }) => x) } });
    await listener.hear('notifications/resources/list_changed');
    assert.equal((await listener.ask('resources/templates/list')).result.resourceTemplates.length, 1);
    const methods = listener.heard().map(({ method }) => method);
    assert.equal(methods.filter((method) => method.endsWith('list_changed')).length, 3, 'each once');
    listener.leave();
  });

  test(`a change that clients cannot see is no news: ${way.name}`, async (t) => {
    const node = await startNode(t);
    await changeServer(node.system, address, { prompts: { p: second } });
    const listener = await way.open(node, all);
    await changeServer(node.system, address, { tools: { added: saying('one') } });
    await listener.hear('notifications/tools/list_changed');
    await changeServer(node.system, address, { tools: { added: saying('two') } });
    await changeServer(node.system, address, { prompts: { p: first } });
    await listener.hear('notifications/prompts/list_changed');
    const listed = listener.heard().filter(({ method }) => method.endsWith('/list_changed'));
    assert.equal(listed.length, 2);
    listener.leave();
  });

  test(`who has subscribed to a resource is told when it changes, others are not: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const resources = { 'a://1': resource({}, () => '1'), 'a://2': resource({}, () => '2') };
    await changeServer(node.system, address, { resources });
    const listener = await way.open(node, { resourceSubscriptions: ['a://1'] });
    const other = await way.open(node, { toolsListChanged: true, resourceSubscriptions: ['a://2'] });
    resourceUpdated(node.system, address, 'a://1');
    assert.equal((await listener.hear('notifications/resources/updated')).params.uri, 'a://1');
    resourceUpdated(node.system, address, 'a://2');
    assert.equal((await other.hear('notifications/resources/updated')).params.uri, 'a://2');
    assert.equal(other.heard().filter(({ method }) => method.endsWith('updated')).length, 1);
    listener.leave();
    other.leave();
  });

  test(`the crash of the hub, of the registry or of a session loses nobody a notification: ${way.name}`, async (t) => {
    const node = await startNode(t);
    await changeServer(node.system, address, { resources: { 'a://1': resource({}, () => '1') } });
    const listener = await way.open(node, { ...all, resourceSubscriptions: ['a://1'] });
    let changes = 0;
    const hears = async (): Promise<void> => {
      changes += 1;
      await changeServer(node.system, address, { tools: { [`t${changes}`]: saying('x') } });
      for (;;) {
        const heard = listener.heard().filter(({ method }) => method === 'notifications/tools/list_changed');
        if (heard.length === changes) break;
        await listener.ask(way.era === 'sessions' ? 'ping' : 'server/discover');
      }
    };
    await hears();
    await killAt(node, 'infrastructure_sup/subscription_hub');
    await wholeAgain(node);
    await hears();
    await killAt(node, 'registry_sup/registry');
    await wholeAgain(node);
    await hears();
    if (way.era === 'sessions') {
      const [[id] = []] = [...(node.system.table<string, unknown>('mcp_sessions')?.entries() ?? [])];
      await kill(node, node.system.whereis(name(`mcp_session:${id}`))!);
      await hears();
    }
    resourceUpdated(node.system, address, 'a://1');
    await listener.hear('notifications/resources/updated');
    listener.leave();
  });
}

const first = prompt({ description: 'first' }, () => [userMessage('1')]);
const second = prompt({ description: 'second' }, () => [userMessage('2')]);

test('a list that has changed while the hub was dead is told of when it is back', async (t) => {
  const node = await startNode(t);
  const session = await HttpSession.open(node.url);
  const exchange = session.listen();
  await exchange.opened;
  // In one turn: the hub is killed before it has seen what the registry told it.
  const changed = changeServer(node.system, address, { tools: { added: saying('x') } });
  await killAt(node, 'infrastructure_sup/subscription_hub');
  await changed;
  await exchange.find(({ method }) => method === 'notifications/tools/list_changed');
  session.client.close();
});

for (const way of ways) {
  test(`a call in flight ends with what it began with; the next meets the change: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const caller = await way.open(node);
    const held = caller.call('hold', { key: 'a' }, { id: 'held' });
    const { release } = await node.gate.held('a');
    await changeServer(node.system, address, { tools: { hold: saying('new'), echo: null } });
    assert.equal((await caller.call('hold', {}, { id: 'new' }).answer).result.content[0].text, 'new');
    assert.match(
      (await caller.call('echo', { text: 'x' }, { id: 'gone' }).answer).error.message,
      /unknown tool "echo"/,
    );
    release('old');
    assert.equal((await held.answer).result.content[0].text, 'old');
    caller.leave();
  });
}

test('a tool changes its own server, by the address in its context', async (t) => {
  const server = mcpServer('test', {
    info: { name: 'n', version: '1' },
    tools: {
      grow: tool({ description: 'Grows.', input: nothing }, async (_args, ctx) => {
        await changeServer(ctx, ctx.server, { tools: { grown: saying('grown') } });
        return text('done');
      }),
    },
  });
  const node = await startNode(t, { servers: [server] });
  const session = await HttpSession.open(node.url);
  assert.equal(await saidBy(session, 'grow'), 'done');
  assert.equal(await saidBy(session, 'grown'), 'grown');
  session.client.close();
});

test('a server is replaced by a whole one; the change outlives the registry', async (t) => {
  const node = await startNode(t);
  const other = mcpServer('test', { info: { name: 'other', version: '2' }, tools: { only: saying('here') } });
  await changeServer(node.system, address, other);
  const client = new HttpClient(node.url);
  const look = async (): Promise<unknown> => {
    const { result } = await client.stateless('tools/list').answer();
    return [result._meta['io.modelcontextprotocol/serverInfo'].name, result.tools.map((each: any) => each.name)];
  };
  assert.deepEqual(await look(), ['other', ['only']]);
  await killAt(node, 'registry_sup/registry');
  await wholeAgain(node);
  assert.deepEqual(await look(), ['other', ['only']]);
  client.close();
});

test('a change that cannot be used says why, and changes nothing', async (t) => {
  const node = await startNode(t);
  const wrong: readonly [object, string, RegExp][] = [
    [{ tools: { 'a b': saying('x') } }, 'ERR_TOOL', /tool "a b": a tool name has/],
    [{ tools: { ok: saying('x'), bad: {} } }, 'ERR_TOOL', /tool "bad": define it with tool/],
    [
      { tools: { slow: tool({ description: 'd', input: nothing, timeoutMs: 1e9 }, () => text('')) } },
      'ERR_TOOL',
      /limit/,
    ],
    [{ resources: { 'no uri': resource({}, () => '') } }, 'ERR_RESOURCE', /absolute URI/],
    [{ prompts: { p: 5 } }, 'ERR_PROMPT', /prompt "p": define it/],
    [{ tools: [] }, 'ERR_SERVER', /tools must be an object/],
    [{ constructor: {} }, 'ERR_SERVER', /"constructor" cannot be changed; there are instructions, tools/],
    [{ instructions: '' }, 'ERR_SERVER', /instructions must be a text/],
    [testServer(node.gate, 'another'), 'ERR_SERVER', /cannot be replaced by "another"/],
    [undefined as never, 'ERR_SERVER', /a change must be/],
  ];
  for (const [change, code, message] of wrong) {
    const answer = changeServer(node.system, address, change as never);
    await assert.rejects(answer, { name: 'DefinitionError', code, message });
  }
  await assert.rejects(changeServer(node.system, { node: 'mcp', name: 'constructor' }, {}), /there is no server/);
  await assert.rejects(changeServer(node.system, { node: 'none', name: 'test' }, {}), { code: 'ERR_CALL_NOPROC' });
  assert.deepEqual(node.events.crashes, []);
  const session = await HttpSession.open(node.url);
  assert.equal(
    (await session.request('tools/list').answer()).result.tools.some((each: any) => each.name === 'ok'),
    false,
  );
  session.client.close();
});

test('under load, through a hundred changes, every call is answered by one version or the other', async (t) => {
  const node = await startNode(t);
  await changeServer(node.system, address, { tools: { version: versioned(0) } });
  let on = true;
  const answered: number[] = [];
  const asking = ways.map(async (way) => {
    const caller = await way.open(node);
    for (let n = 0; on; n++) {
      const began = current;
      const { result, error } = await caller.call('version', { at: began }, { id: `${way.name} ${n}` }).answer;
      assert.equal(error, undefined, JSON.stringify(error));
      const by = Number(result.content[0].text);
      assert.ok(by >= began && by <= current, `${by} answered, it was ${began}, and is ${current}`);
      answered.push(by);
    }
    caller.leave();
  });
  let current = 0;
  for (let version = 1; version <= 100; version++) {
    current = version;
    await changeServer(node.system, address, { tools: { version: versioned(version) } });
    await nextAnswer(answered);
  }
  on = false;
  await Promise.all(asking);
  assert.ok(answered.length >= 100);
  assert.deepEqual(node.events.crashes, []);
});

function versioned(version: number): ReturnType<typeof tool> {
  const input = { type: 'object', properties: { at: { type: 'number' } }, required: ['at'] } as const;
  return tool({ description: `Version ${version}.`, input }, async () => {
    await Promise.resolve();
    return text(String(version));
  });
}

/** One more answer has come. */
async function nextAnswer(answered: readonly number[]): Promise<void> {
  const before = answered.length;
  while (answered.length === before) await new Promise((resolve) => setImmediate(resolve));
}
