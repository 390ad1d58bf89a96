/** Our client against the servers of the official SDKs, and against our own. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { clientOf, mcpClient } from '../../../mcp/client/index.ts';
import { mcpNode, mcpServer, prompt, resource, resourceTemplate, text, tool, userMessage } from '../../../mcp/index.ts';
import { startChild, startSystem } from '../../../runtime/index.ts';
import { childProcess, http2Client, httpClient, memoryClient } from '../../../transports/client/index.ts';
import type { ClientTransport } from '../../../transports/client-transport.ts';
import { http2ListenerName, streamableHttp2 } from '../../../transports/http2/index.ts';
import { type Connected, connect } from '../../support/connected-client.ts';
import { startNode } from '../../support/mcp-node.ts';
import { taskServer } from '../../support/mcp-tasks.ts';
import { Gate } from '../../support/mcp-tools.ts';
import { builtPath } from '../../support/repository.ts';
import { sdk1Program, serveSdk1 } from '../../support/sdk1-server.ts';
import { sdk2Program, serveSdk2 } from '../../support/sdk2-server.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

const versions = { auto: '2026-07-28', legacy: '2025-11-25', '2025-06-18': '2025-06-18' } as const;

const textOf = (reply: any): string => reply.ok.content[0].text;

/** What every server and transport must be able to do with our client. */
async function conversation({ client, events }: Connected): Promise<void> {
  const echoes = Array.from({ length: 20 }, (_, n) => `text ${n} é\n`);
  const replies = await Promise.all(echoes.map((said) => client.callTool('echo', { text: said })));
  assert.deepEqual(replies.map(textOf), echoes);
  const steps: number[] = [];
  const counted = await client.callTool('count', { to: 3 }, { progress: ({ progress }) => void steps.push(progress) });
  assert.equal(textOf(counted), 'counted to 3');
  // A server of ours drops what follows the last too quickly, as it may on a busy machine, but not the end.
  assert.deepEqual(steps, steps.includes(2) ? [1, 2, 3] : [1, 3]);
  const failed = (await client.callTool('fails')) as any;
  assert.equal(failed.ok.isError, true);
  const controller = new AbortController();
  const cancelled = client.callTool('waits', {}, { signal: controller.signal });
  await client.ping();
  controller.abort();
  assert.equal(((await cancelled) as any).error.code, 'ERR_MCP_CANCELLED');
  assert.equal(((await client.callTool('waits', {}, { timeoutMs: 20 })) as any).error.code, 'ERR_MCP_TIMEOUT');
  assert.deepEqual(events.of('malformed'), []);
  assert.deepEqual(events.of('unknown_response'), []);
}

async function resourcesAndPrompts({ client }: Connected): Promise<void> {
  const { ok: resources } = (await client.listResources()) as any;
  assert.deepEqual(
    resources.map(({ uri }: any) => uri),
    ['test://text'],
  );
  const { ok: templates } = (await client.listResourceTemplates()) as any;
  assert.deepEqual(
    templates.map(({ uriTemplate }: any) => uriTemplate),
    ['test://item/{id}'],
  );
  const { ok: contents } = (await client.readResource('test://item/7')) as any;
  assert.equal(contents[0].text, 'item 7');
  assert.equal(((await client.readResource('test://nothing')) as any).error.code, 'ERR_MCP_RPC');
  const { ok: prompts } = (await client.listPrompts()) as any;
  assert.deepEqual(
    prompts.map(({ name }: any) => name),
    ['greet'],
  );
  const { ok: greeting } = (await client.getPrompt('greet', { name: 'Ann' })) as any;
  assert.equal(greeting.messages[0].content.text, 'greet Ann');
}

/** What a server of either SDK can say of its tools, and answer. */
async function features({ client }: Connected): Promise<void> {
  const { agreed } = ((await client.status()) as any).ok;
  assert.equal(agreed.instructions, 'made for tests');
  const { ok: tools } = (await client.listTools()) as any;
  const described = tools.find(({ name }: any) => name === 'described');
  assert.deepEqual([described.title, described.annotations.readOnlyHint], ['Described', true]);
  assert.deepEqual(Object.keys(described.outputSchema.properties), ['twice']);
  const { ok: twice } = (await client.callTool('described', { n: 21 })) as any;
  assert.deepEqual([twice.structuredContent, JSON.parse(twice.content[0].text)], [{ twice: 42 }, { twice: 42 }]);
  const { ok: kinds } = (await client.callTool('kinds')) as any;
  assert.deepEqual(
    kinds.content.map(({ type }: any) => type),
    ['text', 'image', 'audio', 'resource', 'resource_link'],
  );
  const ref = { type: 'ref/resource', uri: 'test://item/{id}' } as const;
  const { ok: completion } = (await client.complete(ref, { name: 'id', value: '7' })) as any;
  assert.deepEqual(completion.values, ['71', '72']);
}

const sdk1: Record<string, (t: TestContext) => Promise<ClientTransport>> = {
  stdio: async () => childProcess({ command: process.execPath, args: [sdk1Program] }),
  'HTTP, event streams': async (t) => httpClient({ url: (await serveSdk1(t)).url }),
  'HTTP, JSON answers': async (t) => httpClient({ url: (await serveSdk1(t, true)).url }),
};

for (const [carrier, transport] of Object.entries(sdk1)) {
  test(`a server of SDK v1 over ${carrier}: it is found to be of sessions, and all of it works`, async (t) => {
    const connected = await connect(t, await transport(t));
    const { client, heard, system } = connected;
    const { ok } = (await client.ready()) as any;
    assert.deepEqual([ok.agreed.version, ok.agreed.server.name], ['2025-11-25', 'sdk1']);
    assert.equal(ok.agreed.instructions, 'made for tests');
    if (carrier === 'HTTP, JSON answers') {
      // Its answers have no stream on which progress and questions could come.
      assert.equal(textOf(await client.callTool('echo', { text: 'x' })), 'x');
    } else {
      await conversation(connected);
      const asked = JSON.parse(textOf(await client.callTool('asks')));
      assert.deepEqual(asked, [{ action: 'accept', content: { name: 'Ann' } }, '3', [{ uri: 'file:///here' }]]);
      const more = JSON.parse(textOf(await client.callTool('asksMore')));
      assert.deepEqual(more, ['accept', { type: 'text', text: 'with t' }]);
    }
    await resourcesAndPrompts(connected);
    await features(connected);
    assert.deepEqual(await client.setLevel('error'), { ok: {} });
    assert.deepEqual(await client.subscribe('test://text'), { ok: {} });
    await client.callTool('changes');
    for (const what of ['tools/list_changed', 'resources/updated', 'message']) await heard(`notifications/${what}`);
    await system.stop();
  });
}

for (const pin of ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']) {
  test(`a server of SDK v1, pinned to ${pin}`, async (t) => {
    const transport = httpClient({ url: (await serveSdk1(t)).url });
    const { client } = await connect(t, transport, { negotiation: { pin } });
    assert.equal(((await client.ready()) as any).ok.agreed.version, pin);
    assert.equal(textOf(await client.callTool('echo', { text: pin })), pin);
  });
}

test('a server of SDK v1 that forgets its sessions: calls go on in a new one, subscriptions too', async (t) => {
  const server = await serveSdk1(t);
  const { client, events } = await connect(t, httpClient({ url: server.url }));
  await client.subscribe('test://text');
  const before = ((await client.ready()) as any).ok.sessionId;
  server.forget();
  assert.equal(textOf(await client.callTool('echo', { text: 'again' })), 'again');
  await events.until('session_lost');
  const after = ((await client.status()) as any).ok.sessionId;
  assert.notEqual(after, before);
  assert.deepEqual([...server.sessions.keys()], [after]);
});

test('a stopped client ends its session at a server of SDK v1', async (t) => {
  const server = await serveSdk1(t);
  const { client, system } = await connect(t, httpClient({ url: server.url }));
  await client.ready();
  assert.equal(server.sessions.size, 1);
  await system.stop();
  assert.equal(server.sessions.size, 0);
});

const sdk2: Record<string, (t: TestContext) => Promise<ClientTransport>> = {
  stdio: async () => childProcess({ command: process.execPath, args: [sdk2Program] }),
  HTTP: async (t) => httpClient({ url: (await serveSdk2(t)).url }),
};

for (const [carrier, transport] of Object.entries(sdk2)) {
  for (const negotiation of ['auto', 'legacy'] as const) {
    test(`a server of SDK v2 over ${carrier}, ${negotiation}: all of it works`, async (t) => {
      const connected = await connect(t, await transport(t), { negotiation });
      const { client, system, heard } = connected;
      const { agreed } = ((await client.ready()) as any).ok;
      assert.deepEqual([agreed.version, agreed.server.name], [versions[negotiation], 'sdk2']);
      await conversation(connected);
      // Its sessions-era service over HTTP has no session in which it could ask.
      if (carrier === 'stdio' || negotiation === 'auto') {
        assert.equal(textOf(await client.callTool('asks')), 'it is Ann');
        const [page, model, folders] = JSON.parse(textOf(await client.callTool('asksMore')));
        assert.deepEqual(
          [page.action, model.content.text, folders.roots],
          ['accept', 'with t', [{ uri: 'file:///here' }]],
        );
      }
      await resourcesAndPrompts(connected);
      await features(connected);
      assert.deepEqual(await client.setLevel('error'), { ok: {} });
      await client.callTool('logs');
      // Its sessions-era service over HTTP has no stream on which it could say more than the answer.
      if (carrier === 'stdio' || negotiation === 'auto') await heard('notifications/message');
      await system.stop();
    });
  }
}

test('a server of SDK v2 tells a stateless client what changes', async (t) => {
  const server = await serveSdk2(t);
  const { client, heard, events } = await connect(t, httpClient({ url: server.url }));
  await client.ready();
  await events.until('listening');
  server.toolsChanged();
  await heard('notifications/tools/list_changed');
  await client.subscribe('test://text');
  await events.until('listening', (_event) => events.of('listening').length === 2);
  server.resourceUpdated('test://text');
  await heard('notifications/resources/updated');
});

const ours = mcpServer('ours', {
  info: { name: 'ours', version: '1.0.0' },
  tools: {
    echo: tool(
      { description: 'Says it back.', input: { type: 'object', properties: { text: { type: 'string' } } } as const },
      ({ text: said }) => text(said ?? ''),
    ),
    fails: tool({ description: 'Fails.', input: { type: 'object' } }, () => {
      throw new Error('by the tool');
    }),
    count: tool(
      { description: 'Counts.', input: { type: 'object', properties: { to: { type: 'integer' } } } as const },
      async ({ to = 0 }, ctx) => {
        for (let progress = 1; progress <= to; progress++) {
          ctx.progress(progress, to);
          // Longer than the pause that the server keeps between two of them.
          await new Promise((resolve) => ctx.clock.setTimer(() => resolve(undefined), 60));
        }
        return text(`counted to ${to}`);
      },
    ),
    waits: tool({ description: 'Waits.', input: { type: 'object' } }, () => new Promise(() => {})),
  },
  resources: { 'test://text': resource({ mimeType: 'text/plain' }, () => 'the text') },
  templates: { item: resourceTemplate('test://item/{id}', {}, ({ id }) => `item ${id}`) },
  prompts: {
    greet: prompt({ description: 'Greets.', arguments: { name: { required: true } } }, ({ name }) => [
      userMessage(`greet ${name}`),
    ]),
  },
});

for (const negotiation of ['auto', 'legacy', { pin: '2025-06-18' }] as const) {
  const named = typeof negotiation === 'string' ? negotiation : negotiation.pin;
  test(`our server over HTTP, ${named}: all of it works`, async (t) => {
    const node = await startNode(t, { servers: [ours] });
    const connected = await connect(t, httpClient({ url: node.url }), { negotiation });
    const { agreed } = ((await connected.client.ready()) as any).ok;
    assert.equal(agreed.version, versions[named]);
    await conversation(connected);
    await resourcesAndPrompts(connected);
    await connected.system.stop();
  });

  test(`our server over HTTP/2, ${named}: all of it works`, async (t) => {
    const name = systemName();
    const transport = streamableHttp2({ port: 0 });
    const system = await startSystem({
      name,
      children: [mcpNode('mcp', { servers: [ours], transports: [transport] })],
    });
    t.after(() => killSystem(system));
    const { url } = await system.call(http2ListenerName(), 'address');
    const connected = await connect(t, http2Client({ url }), { negotiation });
    const { agreed } = ((await connected.client.ready()) as any).ok;
    assert.equal(agreed.version, versions[named]);
    await conversation(connected);
    await resourcesAndPrompts(connected);
    await connected.system.stop();
  });

  test(`our server on stdio, ${named}: tools, and the end of it`, async (t) => {
    const args = [builtPath('bin/beamish.ts'), 'serve', builtPath('examples/demo-server.ts'), '--stdio'];
    const { client, system } = await connect(t, childProcess({ command: process.execPath, args }), { negotiation });
    assert.equal(textOf(await client.callTool('echo', { text: 'x' })), 'x');
    const { ok: tools } = (await client.listTools()) as any;
    assert.ok(tools.length > 3);
    await system.stop();
  });
}

test('our server in the same system, both eras over memory', async (t) => {
  const node = await startNode(t, { servers: [ours] });
  for (const negotiation of ['auto', 'legacy'] as const) {
    const spec = mcpClient(`in-${negotiation}`, { transport: memoryClient(), negotiation });
    const started = await startChild(node.system, node.system.root, spec);
    assert.ok('ok' in started);
    const client = clientOf(node.system, `in-${negotiation}`);
    assert.equal(textOf(await client.callTool('echo', { text: negotiation })), negotiation);
  }
});

test('our server makes a task of a call, our client brings its result, and answers what it asks', async (t) => {
  const gate = new Gate();
  const node = await startNode(t, { servers: [taskServer(gate)], limits: { taskPollMs: 1 } });
  for (const [name, transport] of [
    ['memory', memoryClient()],
    ['http', httpClient({ url: node.url })],
  ] as const) {
    const handlers = { elicitation: () => ({ action: 'accept', content: { name: 'Ada' } }) as const };
    const spec = mcpClient(name, { transport, handlers, limits: { taskPollMinMs: 1 } });
    const started = await startChild(node.system, node.system.root, spec);
    assert.ok('ok' in started);
    const client = clientOf(node.system, name);
    const called = client.callTool('only', { key: name });
    (await gate.held(name)).release(name);
    assert.equal(textOf(await called), name);
    const asked = await client.callTool('asks');
    const ada = { action: 'accept', content: { name: 'Ada' } };
    assert.ok('ok' in asked, JSON.stringify(asked));
    assert.deepEqual(asked.ok.structuredContent, { first: { who: ada, friend: ada }, second: { who: ada } });
  }
});
