/** Which servers a node has, and which of them answers where. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type McpNodeSpec, mcpNode, mcpServer, text, tool } from '../../../mcp/index.ts';
import { StartError, type System, startSystem } from '../../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { connectMemory, memory } from '../../../transports/memory.ts';
import { HttpClient, HttpSession } from '../../support/mcp-http-client.ts';
import { StreamClient } from '../../support/mcp-stream-client.ts';
import { Gate, testServer } from '../../support/mcp-tools.ts';
import { killSystem } from '../../support/test-system.ts';

async function start(t: TestContext, ...nodes: ReturnType<typeof mcpNode>[]): Promise<System> {
  const system = await startSystem({ children: nodes });
  t.after(() => killSystem(system));
  return system;
}

const urlOf = async (system: System, id: string): Promise<string> =>
  (await system.call(listenerName(id), 'address')).url;

const gate = new Gate();
const [red, blue] = [testServer(gate, 'red'), testServer(gate, 'blue')];

test('a node with two servers: each transport answers for its own, and sessions stay with theirs', async (t) => {
  const node = mcpNode('mcp', {
    servers: [red, blue],
    transports: [
      { transport: streamableHttp({ id: 'r', port: 0 }), server: 'red' },
      { transport: streamableHttp({ id: 'b', port: 0 }), server: 'blue' },
      { transport: memory(), server: 'blue' },
    ],
  });
  const system = await start(t, node);
  const [r, b] = [await HttpSession.open(await urlOf(system, 'r')), await HttpSession.open(await urlOf(system, 'b'))];
  const stream = new StreamClient(await connectMemory(system));
  assert.equal((await stream.open()).result.serverInfo.name, 'blue-server');
  const said = async (session: HttpSession): Promise<string> =>
    (await session.tool('echo', { text: 'hi' }).answer()).result.content[0].text;
  assert.match(await said(r), /^hi, said to red in /);
  assert.match(await said(b), /^hi, said to blue in /);
  const strayed = r.reconnected(b.client.url);
  assert.equal((await strayed.request('tools/list').ended).status, 404, 'red has no session with blue');
  assert.equal((await strayed.end()).status, 404);
  assert.match(await said(r.reconnected(await urlOf(system, 'r'))), /^hi, said to red in /);
  for (const { client } of [strayed, b]) client.close();
});

test('two nodes in one system have nothing of each other', async (t) => {
  const nodes = [red, blue].map((server) =>
    mcpNode(`node-${server.name}`, { servers: [server], transports: [streamableHttp({ id: server.name, port: 0 })] }),
  );
  const system = await start(t, ...nodes);
  const sessions = await Promise.all(['red', 'blue'].map(async (id) => HttpSession.open(await urlOf(system, id))));
  const [ofRed, ofBlue] = sessions as [HttpSession, HttpSession];
  const strayed = ofRed.reconnected(ofBlue.client.url);
  assert.equal((await strayed.request('tools/list').ended).status, 404);
  assert.match((await ofBlue.tool('echo', { text: 'x' }).answer()).result.content[0].text, /blue/);
  for (const { client } of [strayed, ofBlue]) client.close();
});

test('one server on several transports', async (t) => {
  const transports = [streamableHttp({ port: 0 }), memory(), memory({ id: 'second' })];
  const system = await start(t, mcpNode('mcp', { servers: [red], transports }));
  for (const id of ['memory', 'second']) {
    const client = new StreamClient(await connectMemory(system, id));
    assert.equal((await client.open()).result.serverInfo.name, 'red-server');
  }
  const client = new HttpClient(await urlOf(system, 'http'));
  assert.equal((await client.stateless('tools/list').answer()).error, undefined);
  client.close();
});

test('a server without tools says so: it has no capability, no list and nothing to call', async (t) => {
  const bare = mcpServer('bare', { info: { name: 'bare', version: '1' }, instructions: 'Nothing to do.' });
  const system = await start(t, mcpNode('mcp', { servers: [bare], transports: [memory()] }));
  const client = new StreamClient(await connectMemory(system));
  const { result } = await client.open();
  assert.deepEqual([result.capabilities, result.instructions], [{}, 'Nothing to do.']);
  for (const method of ['tools/list', 'tools/call', 'resources/list']) {
    assert.equal((await client.request(method, { name: 'x' })).error.code, -32601, method);
  }
});

test('pages of tools/list follow each other to the end; a made-up cursor is refused', async (t) => {
  const noop = tool({ description: 'Nothing.', input: { type: 'object' } }, () => text(''));
  const tools = Object.fromEntries(Array.from({ length: 7 }, (_, n) => [`tool-${n}`, noop]));
  const many = mcpServer('many', { info: { name: 'many', version: '1' }, tools });
  const node = mcpNode('mcp', { servers: [many], transports: [memory()], limits: { listPageMax: 3 } });
  const client = new StreamClient(await connectMemory(await start(t, node)));
  await client.open();
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const { result } = await client.request('tools/list', cursor === undefined ? {} : { cursor });
    pages.push(result.tools.map((each: { name: string }) => each.name));
    cursor = result.nextCursor;
  } while (cursor !== undefined);
  assert.deepEqual(pages, [['tool-0', 'tool-1', 'tool-2'], ['tool-3', 'tool-4', 'tool-5'], ['tool-6']]);
  assert.equal((await client.request('tools/list', { cursor: 'made up' })).error.code, -32602);
});

// ---- what cannot be a node

type Wrong = readonly [what: string, spec: McpNodeSpec, code: string, message: RegExp];

const wrong: readonly Wrong[] = [
  ['no server', { servers: [], transports: [] }, 'ERR_SERVER', /node "n": servers must be an array of at least one/],
  ['no array', { servers: red as never, transports: [] }, 'ERR_SERVER', /must be an array/],
  ['something else', { servers: [{ name: 'red' } as never], transports: [] }, 'ERR_SERVER', /made by mcpServer/],
  ['a server twice', { servers: [red, red], transports: [] }, 'ERR_SERVER', /two servers are called "red"/],
  [
    'a transport of nobody',
    { servers: [red, blue], transports: [memory()] },
    'ERR_SERVER',
    /say which one transport "memory" serves, such as \{ transport, server: "red" \}/,
  ],
  [
    'a transport of a stranger',
    { servers: [red], transports: [{ transport: memory(), server: 'green' }] },
    'ERR_SERVER',
    /transport "memory" serves "green", which is none of its servers/,
  ],
  [
    'a limit that is none',
    { servers: [red], transports: [], limits: { requestTimeout: 5 } as never },
    'ERR_LIMIT',
    /no such limit: requestTimeout; there are requestTimeoutMs, /,
  ],
  [
    'a limit that is no number',
    { servers: [red], transports: [], limits: { sessionsMax: 0 } },
    'ERR_LIMIT',
    /limit sessionsMax must be a positive whole number, not 0/,
  ],
];

for (const [what, spec, code, message] of wrong) {
  test(`a node with ${what} is refused where it is defined`, () => {
    assert.throws(() => mcpNode('n', spec), { name: 'DefinitionError', code, message });
  });
}

test('a tool that may take longer than the node allows keeps the node from starting, and is named', async () => {
  const slow = mcpServer('slow', {
    info: { name: 'slow', version: '1' },
    tools: { wait: tool({ description: 'Waits.', input: { type: 'object' }, timeoutMs: 601_000 }, () => text('')) },
  });
  await assert.rejects(
    startSystem({ children: [mcpNode('mcp', { servers: [slow], transports: [] })] }),
    (error: unknown) => {
      assert.ok(error instanceof StartError);
      assert.match(JSON.stringify(error.reason), /server \\"slow\\", tool \\"wait\\": timeoutMs is 601000/);
      return true;
    },
  );
});

test('two transports of one id keep the node from starting, and are named', async () => {
  const node = mcpNode('mcp', { servers: [red], transports: [memory(), memory()] });
  await assert.rejects(startSystem({ children: [node] }), (error: unknown) => {
    assert.ok(error instanceof StartError);
    assert.match(JSON.stringify(error.reason), /duplicate_child_name.*memory/);
    return true;
  });
});
