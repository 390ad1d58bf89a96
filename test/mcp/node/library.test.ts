/** Resources, prompts and completions over the wire: both eras, streams and HTTP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIBRARY_HANG_MS, libraryServer } from '../../support/mcp-library.ts';
import { nodesAt, startNode, startSimulatedNode, type TestNode, withoutRunner } from '../../support/mcp-node.ts';
import { Gate } from '../../support/mcp-tools.ts';
import { type Caller, type Way, ways } from '../../support/mcp-ways.ts';
import type { Cleanup } from '../../support/test-system.ts';

interface Scene {
  readonly node: TestNode;
  readonly gate: Gate;
  readonly caller: Caller;
  ask(method: string, params?: object): Promise<any>;
}

async function open(t: Cleanup, way: Way, limits = {}): Promise<Scene> {
  const gate = new Gate();
  const node = await startNode(t, { servers: [libraryServer(gate)], limits });
  const caller = await way.open(node);
  t.after(() => caller.leave());
  return { node, gate, caller, ask: (method, params) => caller.request(method, params).answer };
}

/** A result without what every result of 2026-07-28 has. */
function bare({ resultType, _meta, ttlMs, cacheScope, ...rest }: any): any {
  return rest;
}

const read = (uri: string): [string, object] => ['resources/read', { uri }];

for (const way of ways) {
  const stateless = way.era === 'stateless';

  test(`a server says that it has resources, prompts, completions and a log: ${way.name}`, async (t) => {
    const { ask } = await open(t, way);
    if (!stateless) return; // the session's initialize is looked at elsewhere
    const { capabilities } = (await ask('server/discover')).result;
    const listChanged = true;
    assert.deepEqual(capabilities, {
      tools: { listChanged },
      resources: { subscribe: true, listChanged },
      prompts: { listChanged },
      completions: {},
      logging: {},
    });
  });

  test(`resources, templates and prompts are listed as they are defined, in pages: ${way.name}`, async (t) => {
    const { ask } = await open(t, way, { listPageMax: 2 });
    const first = (await ask('resources/list')).result;
    assert.deepEqual(bare(first).resources, [
      {
        uri: 'lib://text',
        name: 'lib://text',
        title: 'A text',
        mimeType: 'text/plain',
        size: 5,
        annotations: { audience: ['user'], priority: 0.5 },
      },
      { uri: 'lib://bytes', name: 'bytes' },
    ]);
    if (stateless) assert.deepEqual([first.ttlMs, first.cacheScope], [60_000, 'public']);
    const uris: string[] = [];
    for (let page = first; ; ) {
      uris.push(...page.resources.map(({ uri }: { uri: string }) => uri));
      if (page.nextCursor === undefined) break;
      page = (await ask('resources/list', { cursor: page.nextCursor })).result;
    }
    assert.equal(new Set(uris).size, 12);
    for (const method of ['tools/list', 'prompts/list', 'resources/templates/list']) {
      for (const cursor of [first.nextCursor, '', 'constructor', 'x'.repeat(10_000)]) {
        assert.equal((await ask(method, { cursor })).error.code, -32602, `${method} ${cursor.slice(0, 20)}`);
      }
    }
    const templates = bare((await ask('resources/templates/list')).result).resourceTemplates;
    assert.deepEqual(templates, [
      { uriTemplate: 'lib://books/{id}{?page}', name: 'book', title: 'Books', mimeType: 'text/markdown' },
      { uriTemplate: 'lib://files/{+path}', name: 'file' },
    ]);
    const [greet] = bare((await ask('prompts/list')).result).prompts;
    assert.deepEqual(greet, {
      name: 'greet',
      title: 'Greeting',
      description: 'Greets somebody.',
      arguments: [
        { name: 'who', title: 'Who', required: true },
        { name: 'how', description: 'How.', required: false },
      ],
    });
  });

  test(`texts, bytes, several contents and templates are read: ${way.name}`, async (t) => {
    const { ask } = await open(t, way);
    const contents = async (uri: string): Promise<unknown> => (await ask(...read(uri))).result.contents;
    assert.deepEqual(await contents('lib://text'), [{ uri: 'lib://text', mimeType: 'text/plain', text: 'hello' }]);
    assert.deepEqual(await contents('lib://bytes'), [{ uri: 'lib://bytes', blob: 'AP8=' }]);
    assert.deepEqual(await contents('lib://several'), [
      { uri: 'lib://several/a', text: 'a', mimeType: 'text/plain' },
      { uri: 'lib://several/b', mimeType: 'application/octet-stream', blob: 'AP8=' },
    ]);
    const uri = 'lib://books/d%C3%BCne?page=2';
    assert.deepEqual(await contents(uri), [{ uri, mimeType: 'text/markdown', text: 'düne, page 2' }]);
    const file = 'lib://files/a/b.txt';
    assert.deepEqual(await contents(file), [{ uri: file, text: `a/b.txt of ${file}` }]);
    const caching = async (of: string): Promise<unknown> => {
      const { ttlMs, cacheScope } = (await ask(...read(of))).result;
      return [ttlMs, cacheScope];
    };
    assert.deepEqual(await caching('lib://text'), stateless ? [0, 'private'] : [undefined, undefined]);
    assert.deepEqual(await caching('lib://bytes'), stateless ? [500, 'public'] : [undefined, undefined]);
  });

  test(`a resource that is not there is an error of its revision, never an empty list: ${way.name}`, async (t) => {
    const { ask, node } = await open(t, way);
    for (const uri of [
      'lib://nothing',
      'lib://gone',
      'lib://books/none',
      'lib://books/%',
      'constructor',
      '__proto__',
    ]) {
      const { error } = await ask(...read(uri));
      assert.deepEqual([error.code, error.data], [stateless ? -32602 : -32002, { uri }], uri);
    }
    assert.equal((await ask(...read('x'.repeat(5_000)))).error.code, stateless ? -32602 : -32002);
    assert.deepEqual(node.events.crashes, []);
  });

  test(`a prompt gets the arguments that it has, all of them texts: ${way.name}`, async (t) => {
    const { ask } = await open(t, way);
    const { result } = await ask('prompts/get', { name: 'greet', arguments: { who: 'you' } });
    assert.deepEqual(bare(result), {
      description: 'Greets somebody.',
      messages: [
        { role: 'user', content: { type: 'text', text: 'Hello you' } },
        { role: 'user', content: { type: 'resource', resource: { uri: 'lib://text', text: 'hello' } } },
      ],
    });
    const wrong: readonly [object, RegExp][] = [
      [{ name: 'greet' }, /prompt "greet": "who" is missing/],
      [{ name: 'greet', arguments: { who: 'x', constructor: 'y' } }, /no argument "constructor", there are: who, how/],
      [{ name: 'greet', arguments: { who: 5 } }, /params.arguments must have strings only/],
      [{ name: 'greet', arguments: [] }, /params.arguments must be an object/],
      [{ name: 'constructor' }, /unknown prompt "constructor"/],
      [{}, /params.name must be a string/],
    ];
    for (const [params, message] of wrong) {
      const { error } = await ask('prompts/get', params);
      assert.equal(error.code, -32602);
      assert.match(error.message, message);
    }
  });

  test(`values are suggested for arguments and variables, at most 100: ${way.name}`, async (t) => {
    const { ask } = await open(t, way);
    const complete = async (ref: object, name: string, value: string, others?: object): Promise<any> =>
      ask('completion/complete', { ref, argument: { name, value }, ...(others && { context: { arguments: others } }) });
    const book = { type: 'ref/resource', uri: 'lib://books/{id}{?page}' };
    const greet = { type: 'ref/prompt', name: 'greet' };
    const values = async (...args: Parameters<typeof complete>): Promise<unknown> =>
      (await complete(...args)).result.completion;
    assert.deepEqual(await values(book, 'id', 'd'), { values: ['dune', 'dracula'], total: 2, hasMore: false });
    assert.deepEqual(await values(book, 'page', '2', { id: 'dune' }), { values: ['21'], total: 1, hasMore: false });
    assert.deepEqual(await values(greet, 'how', ''), { values: [], total: 0, hasMore: false });
    const many = (await complete(greet, 'who', '')).result.completion;
    assert.deepEqual([many.values.length, many.total, many.hasMore], [100, 101, true]);
    const wrong: readonly [object, string, RegExp][] = [
      [greet, 'constructor', /prompt "greet" has no argument "constructor", it has: who, how/],
      [{ type: 'ref/prompt', name: 'toString' }, 'a', /unknown prompt "toString"/],
      [{ type: 'ref/resource', uri: 'lib://books/dune' }, 'id', /unknown resource template/],
      [{ type: 'constructor' }, 'id', /params.ref.type must be/],
      [{ type: 'ref/prompt' }, 'id', /params.ref.name must be a string/],
    ];
    for (const [ref, name, message] of wrong) {
      const { error } = await complete(ref, name, '');
      assert.equal(error.code, -32602);
      assert.match(error.message, message);
    }
  });

  test(`a resource, a prompt or a completion that fails costs its request: ${way.name}`, async (t) => {
    withoutRunner(t);
    const gate = new Gate();
    const node = await startSimulatedNode(t, { servers: [libraryServer(gate)] });
    const caller = await way.open(node);
    const asks: readonly ((name: string) => [string, object])[] = [
      (name) => read(`lib://${name}`),
      (name) => ['prompts/get', { name }],
      (name) => ['completion/complete', { ref: { type: 'ref/prompt', name }, argument: { name: 'x', value: '' } }],
    ];
    const held = caller.request(...read('lib://hold'), { id: 'held' });
    const { release } = await gate.held('resource');
    for (const request of asks) {
      const errorOf = async (name: string): Promise<any> => (await caller.request(...request(name)).answer).error;
      assert.match((await errorOf('throws')).message, /failed: thrown at once/);
      assert.match((await errorOf('rejects')).message, /failed: rejected/);
      assert.deepEqual(await errorOf('refuses'), { code: -31_000, message: 'refused', data: { why: 'always' } });
      for (const [name, message] of [
        ['returnsNonsense', /it returned no/],
        ['throwsLater', /failed: .*thrown in a callback/s],
        ['floats', /failed: .*floating/s],
      ] as const) {
        const error = await errorOf(name);
        assert.equal(error.code, -32603);
        assert.match(error.message, message);
      }
      const before = requestStarts(node);
      const hung = caller.request(...request('hangs'));
      await node.events.until(() => (requestStarts(node) > before ? true : undefined));
      await node.clock.advance(LIBRARY_HANG_MS);
      assert.deepEqual((await hung.answer).error.data, { reason: 'timeout', timeoutMs: LIBRARY_HANG_MS });
    }
    release('on');
    assert.equal((await held.answer).result.contents[0].text, 'on');
    assert.equal((await nodesAt(node, 'server_sup/request_sup/request')).length, 0);
    caller.leave();
  });
}

function requestStarts({ events }: TestNode): number {
  return events.starts.filter(({ initialCall }) => initialCall.endsWith('#Request')).length;
}
