/** Official clients, v1 and v2, with mounted servers of the official SDKs, v1 and v2: on stdio and over HTTP. */

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
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { startNode } from '../../support/mcp-node.ts';
import sdk1 from '../../support/mounted-sdk1.ts';
import sdk2 from '../../support/mounted-sdk2.ts';
import { aborted, begun } from '../../support/mounted-servers.ts';
import { builtPath } from '../../support/repository.ts';

const mounted = { sdk1, sdk2 };
type Sdk = keyof typeof mounted;

const me = { name: 'interop', version: '1.0.0' };
const capabilities = { elicitation: { form: {} }, sampling: {} };
const answered = { action: 'accept' as const, content: { name: 'Ada' } };
const said = { role: 'assistant' as const, content: { type: 'text' as const, text: 'Hello' }, model: 'm' };

/** How a client reaches a server that is mounted here, or in a child. */
type Reach = { readonly url: URL } | { readonly command: string; readonly args: string[]; readonly stderr: 'ignore' };

const carriers = {
  HTTP: async (t: TestContext, sdk: Sdk): Promise<Reach> => {
    const node = await startNode(t, { servers: [mounted[sdk]] });
    return { url: new URL(node.url) };
  },
  stdio: async (_t: TestContext, sdk: Sdk): Promise<Reach> => ({
    command: process.execPath,
    args: [builtPath('bin/beamish.ts'), 'serve', builtPath(`test/support/mounted-${sdk}.ts`), '--stdio'],
    stderr: 'ignore',
  }),
};

const clients: { readonly [name: string]: (reach: Reach, changed: () => void) => Promise<any> } = {
  'client 1': async (reach, changed) => {
    const client = new Client1(me, { capabilities });
    client.setRequestHandler(ElicitRequestSchema, () => answered);
    client.setRequestHandler(CreateMessageRequestSchema, () => said);
    client.setNotificationHandler(ToolListChangedNotificationSchema, changed);
    await client.connect(('url' in reach ? new Http1(reach.url) : new Stdio1(reach)) as never);
    return client;
  },
  'client 2': async (reach, changed) => {
    const client = new Client2(me, { capabilities });
    client.setRequestHandler('elicitation/create', () => answered);
    client.setRequestHandler('sampling/createMessage', () => said as never);
    client.setNotificationHandler('notifications/tools/list_changed', changed);
    await client.connect('url' in reach ? new Http2(reach.url) : new Stdio2(reach));
    return client;
  },
};

for (const [name, connect] of Object.entries(clients)) {
  for (const sdk of Object.keys(mounted) as Sdk[]) {
    for (const [carrier, reach] of Object.entries(carriers)) {
      test(`${name} with a mounted server of ${sdk}: ${carrier}`, async (t) => {
        let heard: () => void = () => {};
        const changed = new Promise<void>((resolve) => {
          heard = resolve;
        });
        const client = await connect(await reach(t, sdk), () => heard());
        t.after(() => client.close());
        const call = async (tool: string, args = {}, options = {}): Promise<any> =>
          client.callTool({ name: tool, arguments: args }, ...(name === 'client 1' ? [undefined, options] : [options]));
        const saying = async (tool: string, args = {}): Promise<string> => (await call(tool, args)).content[0].text;

        assert.deepEqual([client.getServerVersion().name, client.getInstructions()], [sdk, 'mounted']);
        const before = (await client.listTools()).tools.map((tool: any) => tool.name);
        assert.ok(before.includes('echo') && !before.includes('added'));
        assert.equal(await saying('echo', { text: 'hé\n"ho"' }), 'hé\n"ho"');
        assert.deepEqual([await saying('count'), await saying('count')], ['1', '2'], 'one server for the session');
        assert.equal((await call('throws')).isError, true);

        const steps: number[] = [];
        const stepped = await call('steps', {}, { onprogress: ({ progress }: any) => steps.push(progress) });
        assert.equal(stepped.content[0].text, 'three steps');
        // These clients drop the progress that they read together with the answer.
        assert.deepEqual(steps, [1, 2, 3].slice(0, Math.max(steps.length, carrier === 'stdio' ? 0 : 2)));

        assert.equal(await saying('asks'), 'Ada Hello', 'its user and its model have been asked');

        assert.equal(await saying('changes'), 'changed');
        await changed;
        const after = (await client.listTools()).tools.map((tool: any) => tool.name);
        assert.ok(after.includes('added'));

        const abort = new AbortController();
        const [begunBefore, abortedBefore] = [begun.size, aborted.size];
        const waiting = call('waits', {}, { signal: abort.signal });
        if (carrier === 'HTTP') await begun.until(begunBefore + 1);
        abort.abort();
        await assert.rejects(waiting);
        if (carrier === 'HTTP') await aborted.until(abortedBefore + 1);
        assert.equal(await saying('count'), '3', 'and it goes on');
      });
    }
  }
}
