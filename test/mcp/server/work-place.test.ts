/** Where the code of a request runs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type McpServer, mcpServer, prompt, resource, text, tool } from '../../../mcp/index.ts';
import { mcpLimits } from '../../../mcp/limits.ts';
import { schemaCompiler } from '../../../mcp/schema.ts';
import { buildCatalog, type Catalog } from '../../../mcp/server/catalog.ts';
import { redefineServer } from '../../../mcp/server/definition.ts';
import type { Work } from '../../../mcp/server/methods/outcome.ts';
import { workPlace } from '../../../mcp/server/work-place.ts';

const input = { type: 'object' } as const;
const limits = mcpLimits(undefined);
const catalogOf = (server: McpServer): Catalog => buildCatalog(server, schemaCompiler(limits), limits);
const server = (module?: string): McpServer =>
  mcpServer('placed', {
    info: { name: 'placed', version: '1' },
    ...(module === undefined ? {} : { module }),
    tools: {
      usual: tool({ description: 'd', input }, () => text('')),
      apart: tool({ description: 'd', input, run: 'isolated' }, () => text('')),
      here: tool({ description: 'd', input, run: 'main' }, () => text('')),
      job: tool({ description: 'd', input, run: 'compute' }, () => text('')),
    },
    resources: { 'a://b': resource({}, () => '') },
    prompts: { p: prompt({ description: 'd' }, () => []) },
  });
const call = (name: string): Work => ({ kind: 'tool', name, args: {} });
const read: Work = { kind: 'resource', name: 'a://b' };
const get: Work = { kind: 'prompt', name: 'p', args: {} };
const cpu = { groups: ['cpu'], group: 'cpu' };
const none = { groups: [], group: 'cpu' };

test('with a module and the group of the node, on that group, or as the tool asks for', () => {
  const catalog = catalogOf(server('file:///a.js'));
  for (const work of [call('usual'), read, get]) assert.deepEqual(workPlace(work, catalog, cpu), { thread: 'cpu' });
  assert.deepEqual(workPlace(call('apart'), catalog, cpu), { isolated: true });
  assert.equal(workPlace(call('here'), catalog, cpu), undefined);
  assert.equal(workPlace(call('usual'), catalog, { groups: ['io'], group: 'cpu' }), undefined);
});

test('without either, in the process of the request; what must be isolated is refused', () => {
  const [known, unknown] = [catalogOf(server('file:///a.js')), catalogOf(server())];
  for (const work of [call('usual'), read, get]) {
    assert.equal(workPlace(work, known, none), undefined);
    assert.equal(workPlace(work, unknown, cpu), undefined);
  }
  assert.throws(() => workPlace(call('apart'), known, none), /the system has no threads/);
  assert.throws(() => workPlace(call('apart'), unknown, cpu), /the module of the server is not known/);
});

test('a job of the pool that the node names, with or without threads; else refused', () => {
  const [known, unknown] = [catalogOf(server('file:///a.js')), catalogOf(server())];
  for (const threads of [cpu, none]) {
    assert.equal(workPlace(call('job'), known, { ...threads, pool: 'pool' }), 'compute');
    assert.throws(() => workPlace(call('job'), known, threads), /the node names no pool/);
    assert.throws(() => workPlace(call('job'), unknown, { ...threads, pool: 'pool' }), /the module of the server/);
  }
});

test('what was changed since is on no other thread', () => {
  const changed = redefineServer(server('file:///a.js'), {
    tools: { usual: tool({ description: 'new', input }, () => text('')) },
    resources: { 'c://d': resource({}, () => '') },
  });
  const catalog = catalogOf(changed);
  assert.equal(workPlace(call('usual'), catalog, cpu), undefined);
  assert.equal(workPlace(read, catalog, cpu), undefined);
  assert.deepEqual(workPlace(get, catalog, cpu), { thread: 'cpu' });
  assert.deepEqual(workPlace(call('apart'), catalog, cpu), { isolated: true });
});

test('a place that there is not is refused when the server is defined', () => {
  assert.throws(
    () =>
      mcpServer('x', {
        info: { name: 'x', version: '1' },
        tools: { t: tool({ description: 'd', input, run: 'gpu' as never }, () => text('')) },
      }),
    /run must be one of process, isolated, main, compute, not "gpu"/,
  );
  assert.throws(() => mcpServer('x', { info: { name: 'x', version: '1' }, module: 'no url' }), /module must be a URL/);
});
