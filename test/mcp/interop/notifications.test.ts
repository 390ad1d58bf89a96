/** The official clients of the sessions era hear what has changed, on their event stream. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeServer, resourceUpdated, text, tool } from '../../../mcp/index.ts';
import { libraryServer } from '../../support/mcp-library.ts';
import { startNode } from '../../support/mcp-node.ts';
import { peers } from '../../support/mcp-sdk.ts';
import { Gate } from '../../support/mcp-tools.ts';

for (const peer of peers.filter(({ era }) => era === 'sessions')) {
  test(`${peer.name} is told of changed lists and of a resource it has subscribed to`, async (t) => {
    const node = await startNode(t, { servers: [libraryServer(new Gate())] });
    const client = await peer.connect({ url: node.url });
    const told: string[] = [];
    let look = (): void => {};
    client.official.fallbackNotificationHandler = async ({ method, params }: any) => {
      told.push(params?.uri === undefined ? method : `${method} ${params.uri}`);
      look();
    };
    const hears = (what: string): Promise<void> =>
      new Promise((resolve) => {
        look = () => {
          if (told.includes(what)) resolve();
        };
        look();
      });
    const address = { node: 'mcp', name: 'library' };
    await client.official.subscribeResource({ uri: 'lib://text' });
    resourceUpdated(node.system, address, 'lib://text');
    await hears('notifications/resources/updated lib://text');
    const tools = { more: tool({ description: 'More.', input: { type: 'object' } }, () => text('more')) };
    await changeServer(node.system, address, { tools });
    await hears('notifications/tools/list_changed');
    assert.ok((await client.listTools()).some(({ name }) => name === 'more'));
    await client.official.unsubscribeResource({ uri: 'lib://text' });
    await client.close();
  });
}
