/** The official clients read resources, get prompts and complete arguments of a server of ours. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { libraryServer } from '../../support/mcp-library.ts';
import { startNode } from '../../support/mcp-node.ts';
import { peers } from '../../support/mcp-sdk.ts';
import { Gate } from '../../support/mcp-tools.ts';

for (const peer of peers) {
  test(`${peer.name} lists, reads, gets, completes, and follows pages`, async (t) => {
    const node = await startNode(t, { servers: [libraryServer(new Gate())], limits: { listPageMax: 5 } });
    const client = await peer.connect({ url: node.url });
    const { official } = client;

    const page = await official.listResources();
    assert.deepEqual(page.resources[0], {
      uri: 'lib://text',
      name: 'lib://text',
      title: 'A text',
      mimeType: 'text/plain',
      size: 5,
      annotations: { audience: ['user'], priority: 0.5 },
    });
    // The second client gathers the pages itself, where it has no cursor to go on from.
    const next =
      page.nextCursor === undefined ? [] : (await official.listResources({ cursor: page.nextCursor })).resources;
    assert.ok(page.resources.length + next.length >= 10);
    const { resourceTemplates } = await official.listResourceTemplates();
    assert.equal(resourceTemplates[0].uriTemplate, 'lib://books/{id}{?page}');

    assert.equal((await official.readResource({ uri: 'lib://text' })).contents[0].text, 'hello');
    assert.equal((await official.readResource({ uri: 'lib://bytes' })).contents[0].blob, 'AP8=');
    assert.equal((await official.readResource({ uri: 'lib://books/emma?page=3' })).contents[0].text, 'emma, page 3');
    await assert.rejects(official.readResource({ uri: 'lib://nothing' }), {
      // The second client shows its callers the newer code, whatever came.
      code: peer.name === 'sdk 1' ? -32002 : -32602,
      message: /there is no resource "lib:\/\/nothing"/,
    });

    const greeting = await official.getPrompt({ name: 'greet', arguments: { who: 'you' } });
    assert.equal(greeting.messages[0].content.text, 'Hello you');
    await assert.rejects(official.getPrompt({ name: 'greet' }), { code: -32602, message: /"who" is missing/ });
    const ref = { type: 'ref/resource', uri: 'lib://books/{id}{?page}' };
    const { completion } = await official.complete({ ref, argument: { name: 'id', value: 'd' } });
    assert.deepEqual(completion.values, ['dune', 'dracula']);
    await client.close();
  });
}
