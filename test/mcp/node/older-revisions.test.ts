/** The revisions before 2025-11-25: what their clients are shown, and batches. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  audio,
  content,
  type McpServer,
  mcpServer,
  prompt,
  resource,
  resourceLink,
  structured,
  text,
  tool,
  userMessage,
} from '../../../mcp/index.ts';
import { connectMemory } from '../../../transports/memory.ts';
import { HttpClient, notification, request } from '../../support/mcp-http-client.ts';
import { killAt, nodesAt, startNode, type TestNode, withoutRunner } from '../../support/mcp-node.ts';
import { StreamClient } from '../../support/mcp-stream-client.ts';
import { testServer } from '../../support/mcp-tools.ts';

const clientInfo = { name: 'old', version: '1' };
const icons = [{ src: 'https://example.com/a.png' }];
const annotations = { priority: 1, lastModified: '2025-01-01T00:00:00Z' };
const older = ['2025-06-18', '2025-03-26', '2024-11-05'];

function server(): McpServer {
  return mcpServer('new', {
    info: { name: 'new', version: '1', title: 'New', description: 'D', websiteUrl: 'https://example.com', icons },
    tools: {
      all: tool(
        {
          title: 'All',
          description: 'Every block.',
          input: { type: 'object' },
          output: { type: 'object' },
          annotations: { readOnlyHint: true },
          icons,
          _meta: { a: 1 },
        },
        () => ({
          ...structured({ a: 1 }, content([text('t', { annotations, _meta: {} }), audio('AA==', 'audio/wav')])),
          content: [
            ...text('t', { annotations, _meta: {} }).content,
            ...audio('AA==', 'audio/wav').content,
            ...resourceLink({ uri: 'a://b', name: 'b', title: 'B', icons }).content,
          ],
        }),
      ),
    },
    resources: { 'a://b': resource({ title: 'B', icons, annotations, _meta: { a: 1 }, size: 1 }, () => 'b') },
    prompts: {
      p: prompt({ title: 'P', description: 'd', icons, arguments: { x: { title: 'X' } } }, () => [
        userMessage(audio('AA==', 'audio/wav')),
      ]),
    },
  });
}

async function session(url: string, version: string): Promise<{ client: HttpClient; headers: any; opened: any }> {
  const client = new HttpClient(url);
  const params = { protocolVersion: version, capabilities: {}, clientInfo };
  const { headers, messages } = await client.post(request(0, 'initialize', params)).ended;
  return { client, headers: { 'mcp-session-id': String(headers['mcp-session-id']) }, opened: messages[0].result };
}

/** Everything that a client of that revision is shown. */
async function shown({ url }: TestNode, version: string): Promise<any> {
  const { client, headers, opened } = await session(url, version);
  assert.equal(opened.protocolVersion, version);
  const ask = async (method: string, params: object = {}): Promise<any> =>
    (await client.post(request(1, method, params), headers).answer()).result;
  const result = {
    info: opened.serverInfo,
    tool: (await ask('tools/list')).tools[0],
    resource: (await ask('resources/list')).resources[0],
    prompt: (await ask('prompts/list')).prompts[0],
    called: await ask('tools/call', { name: 'all' }),
    got: (await ask('prompts/get', { name: 'p' })).messages[0].content,
  };
  client.close();
  return result;
}

test('a client of 2025-06-18 sees what that revision has', async (t) => {
  const node = await startNode(t, { servers: [server()] });
  const seen = await shown(node, '2025-06-18');
  assert.deepEqual(seen.info, { name: 'new', version: '1', title: 'New' });
  assert.deepEqual(Object.keys(seen.tool).sort(), [
    '_meta',
    'annotations',
    'description',
    'inputSchema',
    'name',
    'outputSchema',
    'title',
  ]);
  assert.deepEqual(seen.resource, { uri: 'a://b', name: 'a://b', title: 'B', annotations, _meta: { a: 1 }, size: 1 });
  assert.deepEqual(seen.prompt.arguments, [{ name: 'x', title: 'X', required: false }]);
  assert.deepEqual(seen.called.structuredContent, { a: 1 });
  assert.deepEqual(seen.called.content[2], { type: 'resource_link', uri: 'a://b', name: 'b', title: 'B' });
});

test('a client of 2025-03-26 sees no titles, no structured content, and links as texts', async (t) => {
  const node = await startNode(t, { servers: [server()] });
  const seen = await shown(node, '2025-03-26');
  assert.deepEqual(seen.info, { name: 'new', version: '1' });
  const { inputSchema: _, ...listed } = seen.tool;
  assert.deepEqual(listed, { name: 'all', description: 'Every block.', annotations: { readOnlyHint: true } });
  assert.deepEqual(seen.resource, { uri: 'a://b', name: 'a://b', annotations: { priority: 1 }, size: 1 });
  assert.deepEqual(seen.prompt, { name: 'p', description: 'd', arguments: [{ name: 'x', required: false }] });
  assert.deepEqual(seen.called, {
    content: [
      { type: 'text', text: 't', annotations: { priority: 1 } },
      { type: 'audio', data: 'AA==', mimeType: 'audio/wav' },
      { type: 'text', text: 'B <a://b>' },
    ],
  });
});

test('a client of 2024-11-05 sees no hints, and sounds as texts', async (t) => {
  const node = await startNode(t, { servers: [server()] });
  const seen = await shown(node, '2024-11-05');
  assert.deepEqual(Object.keys(seen.tool), ['name', 'description', 'inputSchema']);
  const said = { type: 'text', text: '(a sound of type audio/wav, which this revision cannot carry)' };
  assert.deepEqual(seen.called.content[1], said);
  assert.deepEqual(seen.got, said);
});

// ---- batches

const batch = [
  request('a', 'tools/call', { name: 'echo', arguments: { text: 'one' } }),
  notification('notifications/initialized'),
  request('b', 'ping'),
  request('c', 'tools/call', { name: 'throws' }),
  request('d', 'initialize', { protocolVersion: '2025-03-26', capabilities: {}, clientInfo }),
  { jsonrpc: '2.0', id: 'e', method: 5 },
  request('f', 'tools/call', { name: 'throwsNextTurn' }),
];

function judge(answers: readonly any[]): void {
  assert.deepEqual(answers.map(({ id }) => id).sort(), ['a', 'b', 'c', 'd', 'e', 'f'], 'each once');
  const of = (id: string): any => answers.find((answer) => answer.id === id);
  assert.match(of('a').result.content[0].text, /^one/);
  assert.deepEqual(of('b').result, {});
  assert.equal(of('c').result.isError, true);
  assert.match(of('d').error.message, /must not be part of a batch/);
  assert.equal(of('e').error.code, -32600);
  assert.match(of('f').error.message, /thrown in a callback/);
}

test('each message of a batch is answered once, over HTTP in one stream that then ends', async (t) => {
  withoutRunner(t);
  const node = await startNode(t);
  const { client, headers } = await session(node.url, '2025-03-26');
  const { status, messages, headers: got } = await client.post(JSON.stringify(batch), headers).ended;
  assert.deepEqual([status, got['content-type']], [200, 'text/event-stream']);
  judge(messages);
  const notes = [notification('notifications/initialized'), notification('notifications/roots/list_changed')];
  const quiet = await client.post(JSON.stringify(notes), headers).ended;
  assert.deepEqual([quiet.status, quiet.messages], [202, []]);
  assert.equal((await nodesAt(node, 'server_sup/batch_sup/batch')).length, 0);
  client.close();
});

test('each message of a batch is answered once on a stream', async (t) => {
  withoutRunner(t);
  const node = await startNode(t);
  const link = await connectMemory(node.system);
  const client = new StreamClient(link);
  const params = { protocolVersion: '2025-03-26', capabilities: {}, clientInfo };
  await client.request('initialize', params, 'init');
  client.send(JSON.stringify(batch));
  await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((id) => client.answer(id)));
  judge(client.received.slice(1));
  link.close();
});

for (const version of ['2025-11-25', '2025-06-18', '2024-11-05']) {
  test(`a session of ${version} is refused a batch`, async (t) => {
    const node = await startNode(t);
    const { client, headers } = await session(node.url, version);
    const { status, messages } = await client.post(JSON.stringify(batch), headers).ended;
    assert.deepEqual([status, messages[0].error.code], [400, -32600]);
    assert.match(messages[0].error.message, /this revision has no batches/);
    client.close();
  });
}

test('a batch whose process is killed ends with an error, and its calls cost nobody else anything', async (t) => {
  const node = await startNode(t);
  const { client, headers } = await session(node.url, '2025-03-26');
  const held = [request(1, 'tools/call', { name: 'hold', arguments: { key: 'a' } })];
  const exchange = client.post(JSON.stringify(held), headers);
  const call = await node.gate.held('a');
  await killAt(node, 'server_sup/batch_sup/batch');
  const answer = await exchange.answer();
  assert.equal(answer.error.code, -32603);
  assert.match(answer.error.message, /the batch failed: killed/);
  call.release();
  const alive = await client.post(request(2, 'ping'), headers).answer();
  assert.deepEqual(alive.result, {});
  client.close();
});

test('what an older client asks for is what it gets; what nobody knows is the newest with sessions', async (t) => {
  const node = await startNode(t, { servers: [testServer(undefined as never)] });
  for (const version of older) assert.equal((await session(node.url, version)).opened.protocolVersion, version);
  assert.equal((await session(node.url, '2023-01-01')).opened.protocolVersion, '2025-11-25');
});
