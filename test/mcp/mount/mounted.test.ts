import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMountedServer, mcpNode, mountedServer } from '../../../mcp/index.ts';
import { authInfoOf } from '../../../mcp/mount/auth-info.ts';
import { methodFor, translated, withoutEnvelope, withoutTasks } from '../../../mcp/mount/translation.ts';
import { memory } from '../../../transports/memory.ts';

const create = () => ({ connect: () => {} });

test('a mounted server is refused if it cannot be used, with the reason', () => {
  const wrong: [name: unknown, spec: unknown, reason: RegExp][] = [
    ['a b', { create }, /use a name of 1 to 64/],
    ['a', undefined, /second argument/],
    ['a', {}, /give create, a function, or module/],
    ['a', { create, module: 'file:///a.js' }, /give create, a function, or module/],
    ['a', { create: 7 }, /create must be a function/],
    ['a', { module: 'a.js' }, /module must be a URL/],
    ['a', { module: 'file:///a.js', exportName: 7 }, /exportName/],
    ['a', { create, run: 'else' }, /run must be one of process, isolated, main/],
    ['a', { create, run: 'isolated' }, /only a server given by a module/],
    ['a', { create, stateless: 'else' }, /stateless must be/],
    ['a', { create, timeoutMs: 0 }, /timeoutMs/],
  ];
  for (const [name, spec, reason] of wrong) assert.throws(() => mountedServer(name as never, spec as never), reason);
  const mounted = mountedServer('a', { create });
  assert.ok(isMountedServer(mounted) && !isMountedServer({}) && !isMountedServer(null));
  const node = (more: object) =>
    mcpNode('n', { servers: [mountedServer('a', { create, ...more })], transports: [memory()] });
  assert.throws(() => node({ timeoutMs: 600_001 }), /limit requestTimeoutMaxMs/);
  assert.ok(node({}));
});

test('parameters lose what a stateless request says of its client, and nothing else', () => {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', progressToken: 1 };
  assert.deepEqual(withoutEnvelope({ a: 1, _meta: meta }), { a: 1, _meta: { progressToken: 1 } });
  assert.deepEqual(withoutEnvelope({ a: 1, _meta: { 'io.modelcontextprotocol/clientInfo': {} } }), { a: 1 });
  assert.deepEqual(withoutEnvelope({ a: 1 }), { a: 1 });
  assert.deepEqual([methodFor('server/discover'), methodFor('tools/list')], ['ping', 'tools/list']);
});

test('a client that knows tasks becomes one that does not, and stays what it is otherwise', () => {
  const key = 'io.modelcontextprotocol/clientCapabilities';
  const extensions = { 'io.modelcontextprotocol/tasks': {}, 'a/b': {} };
  const params = { name: 'x', _meta: { [key]: { elicitation: {}, extensions }, other: 1 } };
  assert.deepEqual(withoutTasks(params), {
    name: 'x',
    _meta: { [key]: { elicitation: {}, extensions: { 'a/b': {} } }, other: 1 },
  });
  for (const others of [{}, { _meta: 7 }, { _meta: { [key]: {} } }]) assert.equal(withoutTasks(others), others);
});

test('who asks is told without the token, in the units of the SDKs', () => {
  const resource = 'https://mcp.example/mcp';
  const token = { subject: 'ann', issuer: 'https://as.example', scopes: ['a'], expiresAt: 5_999, claims: { x: [1] } };
  const told = authInfoOf({ principal: { ...token, clientId: 'app' }, resource });
  assert.deepEqual(told, {
    token: '',
    clientId: 'app',
    scopes: ['a'],
    expiresAt: 5,
    resource: new URL(resource),
    extra: { subject: 'ann', issuer: 'https://as.example', claims: { x: [1] } },
  });
  assert.equal(authInfoOf({ principal: token, resource }).clientId, '', 'the token names no client');
  assert.deepEqual(authInfoOf({ principal: { subject: 'CN=ann', scopes: [] }, resource: undefined }), {
    token: '',
    clientId: 'CN=ann',
    scopes: [],
    extra: { subject: 'CN=ann' },
  });
});

test('what is no answer is an error, and an error of an older revision becomes one of the newer', () => {
  const request = { id: 7, version: '2026-07-28', method: 'resources/read', translates: true };
  const opened = { capabilities: {}, serverInfo: { name: 's', version: '1' } };
  const old = translated(request, { error: { code: -32002, message: 'none' } }, opened);
  assert.deepEqual(old.message, { jsonrpc: '2.0', id: 7, error: { code: -32602, message: 'none' } });
  const broken = translated(request, {}, opened);
  assert.equal((broken.message as any).error.code, -32603);
});
