import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text } from '../../../mcp/content.ts';
import { MCP_LIMITS, type McpLimits, mcpLimits } from '../../../mcp/limits.ts';
import type { Revision } from '../../../mcp/revision/contract.ts';
import { REVISIONS, revisionOf } from '../../../mcp/revision/registry.ts';
import { schemaCompiler } from '../../../mcp/schema.ts';
import { buildCatalog, type Catalog, viewOf } from '../../../mcp/server/catalog.ts';
import { mcpServer, type ServerSpec } from '../../../mcp/server/definition.ts';
import { type ToolSpec, tool } from '../../../mcp/tool.ts';

const info = { name: 'n', version: '1' };
const input = { type: 'object' } as const;
const run = () => text('');
const modern = revisionOf('2026-07-28') as Revision;
const legacy = revisionOf('2025-11-25') as Revision;

function catalogOf(spec: Partial<ServerSpec>, limits: McpLimits = MCP_LIMITS): Catalog {
  return buildCatalog(mcpServer('s', { info, ...spec }), schemaCompiler(limits), limits);
}

const plain = (changes: Partial<ToolSpec> = {}) => tool({ description: 'd', input, ...changes }, run);

test('tools/list is the same at every look, in the order of the definition', () => {
  const catalog = catalogOf({ tools: { z: plain({ title: 'Z' }), a: plain({ output: { type: 'string' } }) } });
  const page = viewOf(catalog, modern).pages.tools.get(undefined);
  assert.deepEqual(page, {
    resultType: 'complete',
    tools: [
      { name: 'z', title: 'Z', description: 'd', inputSchema: input },
      { name: 'a', description: 'd', inputSchema: input, outputSchema: { type: 'string' } },
    ],
    ttlMs: 60_000,
    cacheScope: 'public',
    _meta: { 'io.modelcontextprotocol/serverInfo': info },
  });
  assert.deepEqual(viewOf(catalog, legacy).pages.tools.get(undefined), {
    tools: [
      { name: 'z', title: 'Z', description: 'd', inputSchema: input },
      { name: 'a', description: 'd', inputSchema: input },
    ],
  });
  assert.ok(Object.isFrozen(page));
});

test('a long list comes in pages; a cursor is good for its own list and revision only', () => {
  const names = Array.from({ length: 7 }, (_, index) => `t${index}`);
  const tools = Object.fromEntries(names.map((name) => [name, plain()]));
  const limits = mcpLimits({ listPageMax: 3 });
  const catalog = catalogOf({ tools }, limits);
  const other = catalogOf({ tools: { ...tools, more: plain() } }, limits);
  for (const revision of REVISIONS) {
    const { tools: toolPages } = viewOf(catalog, revision).pages;
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = toolPages.get(cursor) as { tools: { name: string }[]; nextCursor?: string };
      assert.ok(page.tools.length <= 3);
      seen.push(...page.tools.map(({ name }) => name));
      cursor = page.nextCursor;
      if (cursor !== undefined) assert.equal(viewOf(other, revision).pages.tools.has(cursor), false);
    } while (cursor !== undefined);
    assert.deepEqual(seen, names);
    assert.equal(toolPages.size, 3);
    for (const made of ['', 'MQ', '__proto__']) assert.equal(toolPages.get(made), undefined);
  }
  const exact = catalogOf({ tools: { a: plain(), b: plain(), c: plain() } }, limits);
  assert.equal(viewOf(exact, modern).pages.tools.size, 1);
});

test('server/discover tells the versions, the capabilities and the instructions', () => {
  const found = viewOf(catalogOf({ instructions: 'i', tools: { a: plain() } }), modern).discovered;
  assert.deepEqual(found, {
    resultType: 'complete',
    supportedVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
    capabilities: { tools: { listChanged: true }, logging: {} },
    instructions: 'i',
    ttlMs: 60_000,
    cacheScope: 'public',
    _meta: { 'io.modelcontextprotocol/serverInfo': info },
  });
  assert.deepEqual(catalogOf({}).capabilities, {}, 'without a tool there is no such capability');
});

test('the time of a tool is its own, or that of the limits, and never above their maximum', () => {
  const limits = mcpLimits({ requestTimeoutMs: 50, requestTimeoutMaxMs: 100 });
  const { tools } = catalogOf({ tools: { own: plain({ timeoutMs: 100 }), none: plain() } }, limits);
  assert.equal(tools.get('own')?.timeoutMs, 100);
  assert.equal(tools.get('none')?.timeoutMs, 50);
  assert.throws(() => catalogOf({ tools: { slow: plain({ timeoutMs: 101 }) } }, limits), {
    code: 'ERR_TOOL',
    message: 'server "s", tool "slow": timeoutMs is 101, the limit requestTimeoutMaxMs is 100',
  });
});

test('tools with equal schemas share a validator', () => {
  const { tools } = catalogOf({ tools: { a: plain(), b: plain() } });
  assert.equal(tools.get('a')?.validateInput, tools.get('b')?.validateInput);
  assert.equal(tools.get('constructor'), undefined);
});
