import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text } from '../../../mcp/content.ts';
import * as errors from '../../../mcp/errors.ts';
import { revision20251125 } from '../../../mcp/revision/2025-11-25.ts';
import { revision20260728 } from '../../../mcp/revision/2026-07-28.ts';
import { negotiate, newestOf, REVISIONS, revisionOf, unsupportedVersion } from '../../../mcp/revision/registry.ts';

const server = { name: 's', version: '1' };

test('the registry knows its revisions by version and era, the newest first', () => {
  assert.deepEqual(
    REVISIONS.map(({ version }) => version),
    ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
  );
  assert.equal(revisionOf('2025-11-25'), revision20251125);
  for (const unknown of ['', '2024-01-01', 'constructor', '__proto__']) assert.equal(revisionOf(unknown), undefined);
  assert.equal(newestOf('stateless'), revision20260728);
  assert.equal(newestOf('sessions'), revision20251125);
  for (const revision of REVISIONS) {
    assert.equal(revision.era === 'stateless', revision.readEnvelope !== undefined, revision.version);
  }
});

test('a session gets the revision it asks for, or the newest that has sessions', () => {
  assert.equal(negotiate('2025-11-25'), revision20251125);
  for (const other of ['2026-07-28', '2099-01-01', '1.0', 'constructor']) {
    assert.equal(negotiate(other), revision20251125, other);
  }
  const error = unsupportedVersion('v999.0.0');
  assert.equal(error.code, errors.UNSUPPORTED_PROTOCOL_VERSION);
  assert.deepEqual(error.data, {
    supported: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
    requested: 'v999.0.0',
  });
  assert.ok(JSON.stringify(unsupportedVersion('x'.repeat(1_000_000))).length < 400);
});

test('initialize and ping belong to sessions, discover to the stateless revision', () => {
  const both = ['tools/list', 'tools/call', 'resources/list', 'resources/templates/list', 'resources/read'];
  both.push('prompts/list', 'prompts/get', 'completion/complete');
  const subscribing = ['resources/subscribe', 'resources/unsubscribe'];
  const sessions = ['initialize', 'ping', ...both.slice(0, 5), ...subscribing, ...both.slice(5), 'logging/setLevel'];
  const tasks = ['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel'];
  assert.deepEqual([...revision20251125.requests.keys()], [...sessions, ...tasks]);
  assert.deepEqual([...revisionOf('2025-06-18')!.requests.keys()], sessions, 'tasks came with 2025-11-25');
  const stateless = ['server/discover', ...both, 'subscriptions/listen', 'tasks/get', 'tasks/update', 'tasks/cancel'];
  assert.deepEqual([...revision20260728.requests.keys()], stateless);
});

test('parameters are checked with a message that names the member', () => {
  const problem = (version: string, method: string, params: Record<string, unknown>): string | undefined =>
    revisionOf(version)?.requests.get(method)?.problem(params);
  for (const version of ['2025-11-25', '2026-07-28']) {
    assert.equal(problem(version, 'tools/call', { name: 'a' }), undefined);
    assert.equal(problem(version, 'tools/call', { name: 'a', arguments: {}, _meta: { progressToken: 1 } }), undefined);
    assert.match(problem(version, 'tools/call', {}) ?? '', /params.name must be a string/);
    assert.match(problem(version, 'tools/call', { name: 7 }) ?? '', /params.name/);
    for (const args of [null, [], 'a', 7]) {
      assert.match(problem(version, 'tools/call', { name: 'a', arguments: args }) ?? '', /params.arguments must be an/);
    }
    for (const progressToken of [null, 1.5, {}, true]) {
      const found = problem(version, 'tools/call', { name: 'a', _meta: { progressToken } });
      assert.match(found ?? '', /progressToken must be a string or an integer/);
    }
    assert.match(problem(version, 'tools/list', { _meta: [] }) ?? '', /params._meta must be an object/);
    assert.equal(problem(version, 'tools/list', { cursor: '' }), undefined);
    assert.match(problem(version, 'tools/list', { cursor: 3 }) ?? '', /params.cursor must be a string/);
  }
  const initialize = { protocolVersion: '2025-11-25', capabilities: { roots: {} }, clientInfo: server };
  const init = (changes: object): string | undefined =>
    problem('2025-11-25', 'initialize', { ...initialize, ...changes });
  assert.equal(init({}), undefined);
  assert.match(init({ protocolVersion: undefined }) ?? '', /params.protocolVersion must be a string/);
  assert.match(init({ capabilities: [] }) ?? '', /params.capabilities must be an object/);
  assert.match(init({ capabilities: { sampling: true } }) ?? '', /params.capabilities.sampling must be an object/);
  assert.match(init({ clientInfo: { name: 'c' } }) ?? '', /params.clientInfo.version must be a string/);
  assert.match(init({ clientInfo: null }) ?? '', /params.clientInfo must be an object/);
});

test('2026-07-28 reads the envelope, and names what is wrong with it', () => {
  const key = (name: string): string => `io.modelcontextprotocol/${name}`;
  const good = { [key('protocolVersion')]: '2026-07-28', [key('clientCapabilities')]: { sampling: {} } };
  const read = (meta: Record<string, unknown>): ReturnType<NonNullable<typeof revision20260728.readEnvelope>> =>
    revision20260728.readEnvelope!(meta);
  assert.deepEqual(read(good), { envelope: { version: '2026-07-28', clientCapabilities: { sampling: {} } } });
  assert.deepEqual(read({ ...good, [key('clientInfo')]: server, [key('logLevel')]: 'info' }), {
    envelope: { version: '2026-07-28', clientCapabilities: { sampling: {} }, clientInfo: server, logLevel: 'info' },
  });
  const wrong: readonly [object, RegExp][] = [
    [{ [key('clientCapabilities')]: undefined }, /clientCapabilities"\] must be an object/],
    [{ [key('clientCapabilities')]: [] }, /clientCapabilities"\] must be an object/],
    [{ [key('clientCapabilities')]: { elicitation: 1 } }, /elicitation must be an object/],
    [{ [key('clientInfo')]: 'me' }, /clientInfo"\] must be an object/],
    [{ [key('clientInfo')]: { name: 'me' } }, /version must be a string/],
    [{ [key('logLevel')]: 'loud' }, /logLevel"\] must be one of debug/],
    [{ [key('logLevel')]: 'constructor' }, /logLevel/],
  ];
  for (const [changes, message] of wrong) {
    const found = read({ ...good, ...changes });
    assert.ok('error' in found);
    assert.equal(found.error.code, errors.INVALID_PARAMS);
    assert.match(found.error.message, message);
  }
});

test('2026-07-28 puts its type, its server and its freshness on results; 2025-11-25 puts nothing', () => {
  const signed = { _meta: { 'io.modelcontextprotocol/serverInfo': server } };
  assert.deepEqual(revision20260728.result({ a: 1 }, server), { resultType: 'complete', a: 1, ...signed });
  assert.deepEqual(revision20260728.result({ a: 1 }, server, { ttlMs: 5, cacheScope: 'public' }), {
    resultType: 'complete',
    a: 1,
    ttlMs: 5,
    cacheScope: 'public',
    ...signed,
  });
  assert.deepEqual(revision20251125.result({ a: 1 }, server, { ttlMs: 5, cacheScope: 'public' }), { a: 1 });
  const result = { ...text('x'), _meta: { own: 1 } };
  assert.deepEqual(revision20260728.toolResult(result, server), {
    resultType: 'complete',
    content: [{ type: 'text', text: 'x' }],
    _meta: { own: 1, 'io.modelcontextprotocol/serverInfo': server },
  });
  assert.deepEqual(revision20251125.toolResult(result, server), result);
});

test('2025-11-25 has structured content and output schemas of objects only', () => {
  const value = (structuredContent: unknown): object =>
    revision20251125.toolResult({ content: [], structuredContent }, server);
  assert.deepEqual(value({ a: 1 }), { content: [], structuredContent: { a: 1 } });
  for (const other of [[1], 'a', null, 5]) assert.deepEqual(value(other), { content: [] });
  assert.deepEqual(revision20260728.toolResult({ content: [], structuredContent: null }, server), {
    resultType: 'complete',
    content: [],
    structuredContent: null,
    _meta: { 'io.modelcontextprotocol/serverInfo': server },
  });
  const listed = { name: 'a', description: 'd', inputSchema: { type: 'object' }, outputSchema: { type: 'array' } };
  assert.equal('outputSchema' in revision20251125.listedTool(listed), false);
  assert.deepEqual(revision20260728.listedTool(listed), listed);
  const object = { ...listed, outputSchema: { type: 'object' } };
  assert.deepEqual(revision20251125.listedTool(object), object);
});

test('2026-07-28 sends no code that it must not send', () => {
  const sent = (code: number): number => revision20260728.error({ code, message: 'm' }).code;
  assert.equal(sent(errors.RESOURCE_NOT_FOUND), errors.INVALID_PARAMS);
  assert.equal(sent(errors.URL_ELICITATION_REQUIRED), errors.INTERNAL_ERROR);
  for (const code of [-32023, -32050, -32099]) assert.equal(sent(code), errors.INTERNAL_ERROR);
  for (const code of [-32020, -32021, -32022, -32000, -32001, -32100, -32602, 7, -1]) assert.equal(sent(code), code);
  assert.equal(revision20251125.error({ code: -32002, message: 'm' }).code, -32002);
});

test('the HTTP status follows the specification, and a tool answers with 200', () => {
  const protocol: readonly [number, number][] = [
    [errors.PARSE_ERROR, 400],
    [errors.INVALID_REQUEST, 400],
    [errors.METHOD_NOT_FOUND, 404],
    [errors.HEADER_MISMATCH, 400],
    [errors.MISSING_REQUIRED_CLIENT_CAPABILITY, 400],
    [errors.UNSUPPORTED_PROTOCOL_VERSION, 400],
    [errors.INVALID_PARAMS, 200],
    [errors.INTERNAL_ERROR, 200],
    [42, 200],
  ];
  for (const [code, status] of protocol) {
    assert.equal(revision20260728.httpStatus(code, 'protocol'), status, String(code));
    const byCode = code === errors.MISSING_REQUIRED_CLIENT_CAPABILITY ? 400 : 200;
    assert.equal(revision20260728.httpStatus(code, 'code'), byCode, String(code));
    assert.equal(revision20251125.httpStatus(code, 'protocol'), 200, String(code));
  }
});
