import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { structured, text, toolError } from '../../../mcp/content.ts';
import * as errors from '../../../mcp/errors.ts';
import { MCP_LIMITS } from '../../../mcp/limits.ts';
import type { Revision } from '../../../mcp/revision/contract.ts';
import { REVISIONS, revisionOf } from '../../../mcp/revision/registry.ts';
import { schemaCompiler } from '../../../mcp/schema.ts';
import { buildCatalog, viewOf } from '../../../mcp/server/catalog.ts';
import { mcpServer } from '../../../mcp/server/definition.ts';
import type { Outcome } from '../../../mcp/server/methods/outcome.ts';
import { answerOfThrow, answerOfTool } from '../../../mcp/server/methods/tools-call.ts';
import { handleRequest } from '../../../mcp/server/methods.ts';
import { tool } from '../../../mcp/tool.ts';

const modern = revisionOf('2026-07-28') as Revision;
const legacy = revisionOf('2025-11-25') as Revision;
const info = { name: 'n', version: '1' };

const definition = mcpServer('s', {
  info,
  instructions: 'i',
  tools: {
    add: tool(
      {
        description: 'Adds.',
        input: {
          type: 'object',
          properties: { by: { type: 'number' } },
          required: ['by'],
          additionalProperties: false,
        },
        output: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
        timeoutMs: 2_000,
      },
      ({ by }) => structured({ sum: by }),
    ),
    where: tool(
      {
        description: 'Where.',
        input: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
      },
      ({ region }) => text(region ?? ''),
    ),
  },
});
const catalog = buildCatalog(definition, schemaCompiler(MCP_LIMITS), MCP_LIMITS);
const empty = buildCatalog(mcpServer('e', { info }), schemaCompiler(MCP_LIMITS), MCP_LIMITS);

function ask(revision: Revision, method: string, params?: object, headers?: Record<string, string>): Outcome {
  return handleRequest({ method, params: params as never }, catalog, revision, MCP_LIMITS, {
    headers,
    granted: undefined,
  });
}

function errorOf(outcome: Outcome): { readonly code: number; readonly status: number; readonly message: string } {
  assert.ok(outcome.kind === 'error', JSON.stringify(outcome));
  return { code: outcome.error.code, status: outcome.status, message: outcome.error.message };
}

function resultOf(outcome: Outcome): Record<string, any> {
  assert.ok(outcome.kind === 'result', JSON.stringify(outcome));
  return outcome.result;
}

test('initialize agrees on a revision and begins a session with what the client has said', () => {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: { roots: {} },
    clientInfo: { name: 'c', version: '2' },
  };
  const outcome = ask(legacy, 'initialize', params);
  assert.deepEqual(outcome, {
    kind: 'result',
    result: {
      protocolVersion: '2025-11-25',
      capabilities: { tools: { listChanged: true }, logging: {} },
      serverInfo: info,
      instructions: 'i',
    },
    negotiated: { version: '2025-11-25', clientInfo: params.clientInfo, clientCapabilities: params.capabilities },
  });
  for (const protocolVersion of ['2026-07-28', '1999-01-01', 'constructor']) {
    assert.equal(resultOf(ask(legacy, 'initialize', { ...params, protocolVersion }))['protocolVersion'], '2025-11-25');
  }
  assert.match(errorOf(ask(legacy, 'initialize', {})).message, /params.protocolVersion/);
});

test('ping, discover and the list answer what the catalog has ready', () => {
  assert.deepEqual(resultOf(ask(legacy, 'ping')), {});
  assert.equal(resultOf(ask(modern, 'server/discover', {})), viewOf(catalog, modern).discovered);
  for (const revision of REVISIONS) {
    assert.equal(resultOf(ask(revision, 'tools/list')), viewOf(catalog, revision).pages.tools.get(undefined));
    const { code, status } = errorOf(ask(revision, 'tools/list', { cursor: '' }));
    assert.deepEqual([code, status], [errors.INVALID_PARAMS, 200]);
  }
});

test('a method of another revision, of no revision or of an undeclared capability does not exist', () => {
  const names = ['initialize', 'ping', 'logging/setLevel', 'unknown/method', 'constructor', '__proto__', ''];
  for (const method of names) {
    const { code, status } = errorOf(ask(modern, method, {}));
    assert.deepEqual([code, status], [errors.METHOD_NOT_FOUND, 404], method);
  }
  assert.deepEqual(errorOf(ask(legacy, 'server/discover', {})).code, errors.METHOD_NOT_FOUND);
  assert.deepEqual(errorOf(ask(legacy, 'server/discover', {})).status, 200);
  const noTools = errorOf(
    handleRequest({ method: 'tools/list', params: {} }, empty, modern, MCP_LIMITS, {
      headers: undefined,
      granted: undefined,
    }),
  );
  assert.deepEqual([noTools.code, noTools.status], [errors.METHOD_NOT_FOUND, 404]);
  assert.ok(errorOf(ask(modern, 'x'.repeat(1_000_000))).message.length < 200);
});

test('parameters of the wrong shape are -32602', () => {
  for (const revision of REVISIONS) {
    assert.match(errorOf(ask(revision, 'tools/call', [])).message, /params must be an object/);
    assert.match(errorOf(ask(revision, 'tools/call')).message, /params.name must be a string/);
    assert.match(errorOf(ask(revision, 'tools/call', { name: 'add', arguments: [] })).message, /params.arguments/);
  }
});

test('a good call is ready to run, with its time and its progress token', () => {
  for (const revision of REVISIONS) {
    const outcome = ask(revision, 'tools/call', { name: 'add', arguments: { by: 2 }, _meta: { progressToken: 'p' } });
    assert.ok(outcome.kind === 'run');
    const work = { kind: 'tool', name: 'add', args: { by: 2 } };
    const input = { responses: {}, state: undefined };
    assert.deepEqual(outcome.run, { work, timeoutMs: 2_000, progressToken: 'p', input });
    const bare = ask(revision, 'tools/call', { name: 'where' });
    assert.ok(bare.kind === 'run');
    assert.deepEqual(bare.run, {
      work: { kind: 'tool', name: 'where', args: {} },
      timeoutMs: 60_000,
      progressToken: undefined,
      input,
    });
  }
});

test('an unknown tool is an error, wrong arguments are a result that the model can act upon', () => {
  for (const revision of REVISIONS) {
    for (const name of ['sub', 'constructor', '__proto__', 'toString', '']) {
      const { code, message, status } = errorOf(ask(revision, 'tools/call', { name }));
      assert.deepEqual([code, message, status], [errors.INVALID_PARAMS, `unknown tool ${JSON.stringify(name)}`, 200]);
    }
    const result = resultOf(ask(revision, 'tools/call', { name: 'add', arguments: { by: 'x', more: 1 } }));
    assert.equal(result['isError'], true);
    assert.equal(result['resultType'], revision.era === 'stateless' ? 'complete' : undefined);
    assert.equal(
      result['content'][0].text,
      'invalid arguments for tool "add": arguments: unknown property "more"; arguments.by: must be number',
    );
    let deep: unknown = 1;
    for (let level = 0; level < 100; level += 1) deep = [deep];
    const tooDeep = resultOf(ask(revision, 'tools/call', { name: 'where', arguments: { deep } }));
    assert.match(tooDeep['content'][0].text, /arguments: has more than 64 arrays and objects/);
  }
});

test('headers of arguments are compared when there are headers', () => {
  const params = { name: 'where', arguments: { region: 'eu' } };
  assert.equal(ask(modern, 'tools/call', params, { 'mcp-param-region': 'eu' }).kind, 'run');
  assert.equal(ask(modern, 'tools/call', params).kind, 'run', 'a stream has no headers');
  const { code, status } = errorOf(ask(modern, 'tools/call', params, {}));
  assert.deepEqual([code, status], [errors.HEADER_MISMATCH, 400]);
});

test('a result of a tool is sent if it is one and satisfies the output schema', () => {
  const add = catalog.tools.get('add')!;
  const answer = (returned: unknown, revision = modern): Outcome =>
    answerOfTool(add, returned, catalog, revision, MCP_LIMITS);
  assert.deepEqual(resultOf(answer(structured({ sum: 3 }), legacy)), {
    content: [{ type: 'text', text: '{"sum":3}' }],
    structuredContent: { sum: 3 },
  });
  assert.equal(resultOf(answer(structured({ sum: 3 })))['resultType'], 'complete');
  assert.equal(resultOf(answer(toolError('cannot')))['isError'], true, 'a failure needs no structured content');
  const loop: unknown[] = [];
  loop.push(loop);
  const broken: readonly [unknown, RegExp][] = [
    [text('3'), /tool "add": it has an output schema and returned no structuredContent/],
    [structured({ sum: 'x' }), /does not satisfy its output schema: structuredContent.sum: must be number/],
    [undefined, /it returned no result/],
    ['3', /it returned no result/],
    [{}, /content must be an array/],
    [{ content: [5] }, /content\[0\] must be a content block/],
    [{ content: [{ type: 'constructor' }] }, /content\[0\] must have a type of text, image/],
    [{ content: [{ type: 'text' }] }, /content\[0\] must have text, a string/],
    [{ content: [{ type: 'image', data: 'x' }] }, /must have mimeType/],
    [{ content: [{ type: 'resource', resource: { uri: 'a' } }] }, /resource.text or resource.blob/],
    [{ content: [], isError: 'yes' }, /isError must be/],
    [{ content: [], _meta: [] }, /_meta must be an object/],
    [{ content: [], structuredContent: 1n }, /bigint/],
    [{ content: [], structuredContent: loop }, /arrays and objects inside each other/],
  ];
  for (const [returned, message] of broken) {
    const error = errorOf(answer(returned));
    assert.deepEqual([error.code, error.status], [errors.INTERNAL_ERROR, 200]);
    assert.match(error.message, message);
  }
});

test('what a tool throws is told to the model, an McpError to the client', () => {
  const thrown = (error: unknown, revision = modern): Outcome => answerOfThrow(error, catalog, revision);
  assert.deepEqual(resultOf(thrown(new Error('no disk'), legacy)), {
    content: [{ type: 'text', text: 'no disk' }],
    isError: true,
  });
  for (const odd of ['text', 5, null, undefined, new Error('')]) assert.equal(resultOf(thrown(odd))['isError'], true);
  const missing = new errors.McpError(-32021, 'm', { requiredCapabilities: { sampling: {} } });
  const outcome = thrown(missing);
  assert.equal(errorOf(outcome).status, 400);
  assert.deepEqual(outcome.kind === 'error' && outcome.error.data, missing.data);
  assert.equal(errorOf(thrown(missing, legacy)).status, 200);
  assert.equal(errorOf(thrown(new errors.McpError(errors.METHOD_NOT_FOUND, 'm'))).status, 200);
  assert.equal(errorOf(thrown(new errors.McpError(errors.RESOURCE_NOT_FOUND, 'm'))).code, errors.INVALID_PARAMS);
});

test('property: no request makes the table throw', () => {
  const methods = fc.constantFrom(
    'initialize',
    'ping',
    'server/discover',
    'tools/list',
    'tools/call',
    'x',
    '__proto__',
  );
  const member = fc.constantFrom(
    'name',
    'arguments',
    '_meta',
    'cursor',
    'protocolVersion',
    'capabilities',
    'clientInfo',
  );
  const value = fc.oneof(fc.constantFrom<unknown>('add', 'where', {}, { by: 1 }), fc.jsonValue());
  const params = fc.oneof(fc.dictionary(member, value), fc.array(value), fc.constant(undefined));
  fc.assert(
    fc.property(methods, params, fc.constantFrom(...REVISIONS), (method, given, revision) => {
      const outcome = handleRequest({ method, params: given as never }, catalog, revision, MCP_LIMITS, {
        headers: {},
        granted: undefined,
      });
      if (outcome.kind === 'error') assert.ok(outcome.error.message !== '' && outcome.status >= 200);
      else assert.ok(outcome.kind !== 'result' || typeof outcome.result === 'object');
    }),
    { numRuns: 2_000 },
  );
});
