import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  coversResource,
  isSafeUrl,
  readChallenge,
  resourceMetadataUrls,
  scopeToAsk,
  serverMetadataUrls,
} from '../../../../mcp/client/oauth/challenge.ts';

test('a challenge is read whatever stands around it', () => {
  const header =
    'Basic realm="x", Bearer error="invalid_token", scope="a b", resource_metadata="https://m/x?y=\\"1\\""';
  assert.deepEqual(readChallenge(header), {
    error: 'invalid_token',
    scope: 'a b',
    resourceMetadata: 'https://m/x?y="1"',
  });
  assert.deepEqual(readChallenge('bearer scope=one'), { scope: 'one' });
  assert.deepEqual([readChallenge(undefined), readChallenge('Basic realm="Bearer"')], [{}, {}]);
});

test('property: no header makes reading it fail', () => {
  fc.assert(fc.property(fc.string(), (header) => assert.equal(typeof readChallenge(`Bearer ${header}`), 'object')));
});

test('scopes: the challenge first, then the resource; what was granted stays, offline_access if there is any', () => {
  const none = { challenged: undefined, resource: undefined, server: undefined, granted: undefined };
  assert.equal(scopeToAsk(none), undefined);
  assert.equal(scopeToAsk({ ...none, resource: ['a', 'b'] }), 'a b');
  assert.equal(scopeToAsk({ ...none, resource: ['a', 'b'], challenged: 'c' }), 'c');
  assert.equal(scopeToAsk({ ...none, challenged: 'c a', granted: 'a b' }), 'a b c');
  assert.equal(scopeToAsk({ ...none, challenged: 'c', server: ['c', 'offline_access'] }), 'c offline_access');
  assert.equal(scopeToAsk({ ...none, server: ['offline_access'] }), undefined);
});

test('a resource covers the server at it and below it, of the same origin', () => {
  const server = 'https://a.example/x/mcp';
  for (const yes of [server, 'https://a.example', 'https://a.example/x', 'https://a.example/x/']) {
    assert.equal(coversResource(yes, server), true, yes);
  }
  for (const no of ['https://b.example/x/mcp', 'http://a.example/x/mcp', 'https://a.example/x/mc', 'x', 1, undefined]) {
    assert.equal(coversResource(no, server), false, String(no));
  }
});

test('metadata is looked for where the specifications say, in their order', () => {
  assert.deepEqual(resourceMetadataUrls('https://a.example/mcp', undefined), [
    'https://a.example/.well-known/oauth-protected-resource/mcp',
    'https://a.example/.well-known/oauth-protected-resource',
  ]);
  assert.deepEqual(resourceMetadataUrls('https://a.example/mcp', 'https://b/x'), ['https://b/x']);
  assert.deepEqual(serverMetadataUrls('https://a.example/tenant'), [
    'https://a.example/.well-known/oauth-authorization-server/tenant',
    'https://a.example/.well-known/openid-configuration/tenant',
    'https://a.example/tenant/.well-known/openid-configuration',
  ]);
  assert.equal(serverMetadataUrls('https://a.example').length, 2);
});

test('only what is encrypted, or on this machine, is spoken to', () => {
  for (const yes of ['https://a.example', 'http://localhost:1', 'http://127.0.0.1', 'http://[::1]:2']) {
    assert.equal(isSafeUrl(yes), true, yes);
  }
  for (const no of ['http://a.example', 'http://localhost.example', 'ftp://localhost', 'x']) {
    assert.equal(isSafeUrl(no), false, no);
  }
});
