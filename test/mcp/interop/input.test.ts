/** The official clients answer what a tool of ours asks them, in both eras. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import everything from '../../conformance/everything-server.ts';
import { startNode } from '../../support/mcp-node.ts';

const me = { name: 'interop', version: '1.0.0' };
const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
const accepted = { action: 'accept', content: { name: 'Ada', color: 'red' } };
const said = { role: 'assistant', content: { type: 'text', text: 'Hello' }, model: 'm' };
const folders = { roots: [{ uri: 'file:///a' }] };

async function first(url: string): Promise<any> {
  const client = new Client1(me, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, () => accepted as never);
  client.setRequestHandler(CreateMessageRequestSchema, () => said as never);
  client.setRequestHandler(ListRootsRequestSchema, () => folders as never);
  await client.connect(new Http1(new URL(url)) as never);
  return client;
}

async function second(url: string, versionNegotiation: object): Promise<any> {
  const client = new Client2(me, { capabilities, ...versionNegotiation });
  client.setRequestHandler('elicitation/create', () => accepted as never);
  client.setRequestHandler('sampling/createMessage', () => said as never);
  client.setRequestHandler('roots/list', () => folders as never);
  await client.connect(new Http2(new URL(url)));
  return client;
}

const clients: { readonly [name: string]: (url: string) => Promise<any> } = {
  'sdk 1': first,
  'client 2 as it comes': (url) => second(url, {}),
  'client 2 pinned to 2026-07-28': (url) => second(url, { versionNegotiation: { mode: { pin: '2026-07-28' } } }),
};

for (const [name, connect] of Object.entries(clients)) {
  test(`${name} answers for its user, its model and its folders, several times in one call`, async (t) => {
    const node = await startNode(t, { servers: [everything] });
    const client = await connect(node.url);
    const call = async (tool: string): Promise<string> =>
      (await client.callTool({ name: tool, arguments: {} })).content[0].text;
    assert.match(
      await call('test_input_required_result_multiple_inputs'),
      /"name":"Ada".*"text":"Hello".*file:\/\/\/a/,
    );
    assert.match(await call('test_input_required_result_multi_round'), /"name":"Ada".*"color":"red"/);
    await client.close();
  });
}
