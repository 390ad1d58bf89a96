/** Every feature that the official clients and a server of ours both have, on stdio and over HTTP. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import server from '../../support/feature-server.ts';
import { startNode } from '../../support/mcp-node.ts';
import { builtPath } from '../../support/repository.ts';

const me = { name: 'interop', version: '1.0.0' };
const capabilities = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: { listChanged: true } };
const icons = [{ src: 'https://example.com/icon.png', mimeType: 'image/png', sizes: ['48x48'] }];
const answers: Record<string, (params: any) => object> = {
  'elicitation/create': ({ mode }) =>
    mode === 'url' ? { action: 'accept' } : { action: 'accept', content: { name: 'Ada' } },
  'sampling/createMessage': ({ tools }) => ({
    role: 'assistant',
    content: { type: 'text', text: `with ${tools[0].name}` },
    model: 'm',
  }),
  'roots/list': () => ({ roots: [{ uri: 'file:///here', name: 'here' }] }),
};

interface Peer {
  readonly name: string;
  readonly era: 'sessions' | 'stateless';
  /** Answers what it is asked, and has the notifications told. */
  make(told: (notification: any) => void): any;
  readonly http: (url: URL) => any;
  readonly stdio: (command: object) => any;
}

function make2(told: (notification: any) => void, more: object): any {
  const client = new Client2(me, { capabilities, ...more }) as any;
  for (const [method, answer] of Object.entries(answers)) {
    client.setRequestHandler(method, (request: any) => answer(request.params));
  }
  client.fallbackNotificationHandler = async (notification: any) => told(notification);
  return client;
}

const two = { http: (url: URL) => new Http2(url), stdio: (command: any) => new Stdio2(command) };
const peers: readonly Peer[] = [
  {
    name: 'sdk 1',
    era: 'sessions',
    make(told) {
      const client = new Client1(me, { capabilities }) as any;
      client.setRequestHandler(ElicitRequestSchema, ({ params }: any) => answers['elicitation/create']!(params));
      client.setRequestHandler(CreateMessageRequestSchema, (request: any) =>
        answers['sampling/createMessage']!(request.params),
      );
      client.setRequestHandler(ListRootsRequestSchema, () => answers['roots/list']!({}));
      client.fallbackNotificationHandler = async (notification: any) => told(notification);
      return client;
    },
    http: (url) => new Http1(url),
    stdio: (command: any) => new Stdio1(command),
  },
  { name: 'client 2', era: 'sessions', make: (told) => make2(told, {}), ...two },
  {
    name: 'client 2 pinned to 2026-07-28',
    era: 'stateless',
    make: (told) => make2(told, { versionNegotiation: { mode: { pin: '2026-07-28' } } }),
    ...two,
  },
];

const carriers: Record<string, (t: TestContext, peer: Peer) => Promise<any>> = {
  async HTTP(t, { http }) {
    return http(new URL((await startNode(t, { servers: [server] })).url));
  },
  async stdio(_t, { stdio }) {
    const args = [builtPath('bin/beamish.ts'), 'serve', builtPath('test/support/feature-server.ts'), '--stdio'];
    return stdio({ command: process.execPath, args, stderr: 'ignore' });
  },
};

async function run(t: TestContext, peer: Peer, carrier: string) {
  const told: any[] = [];
  const looks = new Set<() => void>();
  const client = peer.make((notification) => {
    told.push(notification);
    for (const look of [...looks]) look();
  });
  await client.connect(await carriers[carrier]!(t, peer));
  t.after(() => client.close());
  const hears = (method: string): Promise<any> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = told.find((each) => each.method === method);
        if (found !== undefined) resolve(found);
      };
      looks.add(look);
      look();
    });
  return { client, hears, told };
}

for (const peer of peers) {
  for (const carrier of Object.keys(carriers)) {
    const where = `${peer.name}, ${carrier}`;

    test(`who it is, instructions, ping: ${where}`, async (t) => {
      const { client } = await run(t, peer, carrier);
      const { name, version, title } = client.getServerVersion();
      assert.deepEqual([name, version, title], ['features', '1.0.0', 'All of it']);
      assert.deepEqual(client.getServerVersion().icons, icons);
      assert.equal(client.getInstructions(), 'read me first');
      if (peer.era === 'sessions') assert.deepEqual(await client.ping(), {});
    });

    test(`tools: title, icons, annotations, schemas, structured and every kind of content: ${where}`, async (t) => {
      const { client } = await run(t, peer, carrier);
      const { tools } = await client.listTools();
      const described = tools.find((each: any) => each.name === 'described');
      assert.deepEqual([described.title, described.icons], ['Described', icons]);
      const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = described.annotations;
      assert.deepEqual([readOnlyHint, destructiveHint, idempotentHint, openWorldHint], [true, false, true, false]);
      assert.deepEqual(described.inputSchema.properties, { n: { type: 'number', minimum: 1 } });
      assert.deepEqual(described.outputSchema.required, ['twice']);
      const twice = await client.callTool({ name: 'described', arguments: { n: 21 } });
      assert.deepEqual([twice.structuredContent, JSON.parse(twice.content[0].text)], [{ twice: 42 }, { twice: 42 }]);
      assert.equal((await client.callTool({ name: 'described', arguments: { n: 0 } })).isError, true);
      const { content } = await client.callTool({ name: 'kinds', arguments: {} });
      const types = ['text', 'image', 'audio', 'resource', 'resource_link'];
      assert.deepEqual(
        content.map(({ type }: any) => type),
        types,
      );
      assert.deepEqual([content[1].mimeType, content[3].resource.text], ['image/png', 'inside']);
    });

    test(`resources, templates, prompts, pages, completion with its context: ${where}`, async (t) => {
      const { client } = await run(t, peer, carrier);
      const uris = new Set<string>();
      let cursor: string | undefined;
      let first: any;
      do {
        const page: any = await client.listResources(cursor === undefined ? {} : { cursor });
        first ??= page.resources[0];
        for (const { uri } of page.resources) uris.add(uri);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      assert.equal(uris.size, 151);
      assert.deepEqual([first.title, first.mimeType, first.icons], ['Text', 'text/plain', icons]);
      const { resourceTemplates } = await client.listResourceTemplates();
      assert.equal(resourceTemplates[0].uriTemplate, 'feature://items/{kind}/{id}');
      assert.equal((await client.readResource({ uri: 'feature://items/plum/3' })).contents[0].text, 'plum 3');
      const { prompts } = await client.listPrompts();
      assert.deepEqual([prompts[0].title, prompts[0].arguments[0].required, prompts[0].icons], ['Greet', true, icons]);
      const { messages } = await client.getPrompt({ name: 'greet', arguments: { name: 'Ann' } });
      assert.equal(messages[0].content.text, 'hello Ann');
      const ref = { type: 'ref/resource', uri: 'feature://items/{kind}/{id}' };
      const kinds = await client.complete({ ref, argument: { name: 'kind', value: 'ap' } });
      assert.deepEqual(kinds.completion.values, ['apple', 'apricot']);
      const context = { arguments: { kind: 'plum' } };
      const ids = await client.complete({ ref, argument: { name: 'id', value: '7' }, context });
      assert.deepEqual(ids.completion.values, ['7-of-plum']);
    });

    test(`elicitation by form and by page, sampling with tools, roots: ${where}`, async (t) => {
      const { client } = await run(t, peer, carrier);
      const { content } = await client.callTool({ name: 'asks', arguments: {} });
      const { form, page, model, folders } = JSON.parse(content[0].text);
      assert.deepEqual([form, page.action], [{ action: 'accept', content: { name: 'Ada' } }, 'accept']);
      assert.deepEqual([model.content.text, folders.roots[0].uri], ['with t', 'file:///here']);
    });

    test(`log messages from the wanted level on: ${where}`, async (t) => {
      const { client, hears, told } = await run(t, peer, carrier);
      const _meta = peer.era === 'stateless' ? { 'io.modelcontextprotocol/logLevel': 'warning' } : undefined;
      if (peer.era === 'sessions') await client.setLoggingLevel('warning');
      await client.callTool({ name: 'logs', arguments: {}, ...(_meta === undefined ? {} : { _meta }) });
      const { params } = await hears('notifications/message');
      assert.deepEqual([params.level, params.logger, params.data], ['error', 'part', { a: 1 }]);
      assert.equal(told.filter(({ method }) => method === 'notifications/message').length, 1);
    });

    test(`changed lists and an updated resource: ${where}`, async (t) => {
      const { client, hears } = await run(t, peer, carrier);
      if (peer.era === 'sessions') await client.subscribeResource({ uri: 'feature://text' });
      else {
        const { honoredFilter } = await client.listen({
          toolsListChanged: true,
          promptsListChanged: true,
          resourcesListChanged: true,
          resourceSubscriptions: ['feature://text'],
        });
        assert.deepEqual(honoredFilter.resourceSubscriptions, ['feature://text']);
      }
      await client.callTool({ name: 'changes', arguments: {} });
      for (const kind of ['tools/list_changed', 'prompts/list_changed', 'resources/list_changed']) {
        await hears(`notifications/${kind}`);
      }
      assert.equal((await hears('notifications/resources/updated')).params.uri, 'feature://text');
      const { tools } = await client.listTools();
      assert.ok(tools.some(({ name }: any) => name === 'added'));
    });
  }
}
