/** The parts of authorization that no process runs: headers, principals, the memory of tokens. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { challengeOf, missingScopes, readBearer } from '../../../mcp/authorization/bearer.ts';
import { checkedPrincipal, principalKey } from '../../../mcp/authorization/principal.ts';
import { checkedAuthorization } from '../../../mcp/authorization/resource-server.ts';
import { mcpServer, resource, tool } from '../../../mcp/index.ts';
import { TokenCache } from '../../../mcp/server/token-cache.ts';
import { Usage } from '../../../mcp/server/usage.ts';

test('a challenge is one header of quoted texts, whatever it describes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (description) => {
      const header = challengeOf('https://a.example/x', { error: 'invalid_token', description, scopes: ['a', 'b'] });
      assert.match(header, /^Bearer error="invalid_token", error_description="[\x20\x21\x23-\x5b\x5d-\x7e]*", /);
      assert.ok(header.endsWith(', scope="a b", resource_metadata="https://a.example/x"'));
    }),
  );
});

test('a token is read, and nothing else is taken for one', () => {
  assert.deepEqual(readBearer('Bearer a.b-c_d~e+f/g=='), { token: 'a.b-c_d~e+f/g==' });
  assert.deepEqual(readBearer('  bearer   x  '), { token: 'x' });
  for (const header of [undefined, '', 'Basic x', 'Bearerx', 'DPoP x']) assert.equal(readBearer(header), 'none');
  for (const header of ['Bearer', 'Bearer ', 'Bearer a b', 'Bearer =', 'Bearer a=b', 'Bearer ä', 'Bearer "a"']) {
    assert.equal(readBearer(header), 'malformed', header);
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      const read = readBearer(text);
      if (typeof read !== 'string') assert.ok(text.includes(read.token) && !/\s/.test(read.token));
    }),
  );
});

test('scopes are missing that were not granted', () => {
  assert.deepEqual(missingScopes(['a', 'b', 'c'], ['b', 'x']), ['a', 'c']);
  assert.deepEqual(missingScopes([], []), []);
});

test('a principal is a frozen copy, and two are the same only if issuer, subject and client are', () => {
  const claims = { deep: { list: [1] } };
  const principal = checkedPrincipal({ subject: 'a', scopes: ['x'], claims }, 'https://as.example');
  claims.deep.list.push(2);
  assert.deepEqual(principal.claims, { deep: { list: [1] } });
  assert.throws(() => ((principal.claims as typeof claims).deep.list[0] = 9), TypeError);
  const part = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('a', '"', '","', 'null'));
  const some = fc.record({ subject: part, issuer: part, clientId: fc.option(part, { nil: undefined }) });
  fc.assert(
    fc.property(some, some, (one, other) => {
      const same = one.subject === other.subject && one.issuer === other.issuer && one.clientId === other.clientId;
      const [a, b] = [one, other].map((each) => principalKey({ ...each, scopes: [] } as never));
      assert.equal(a === b, same);
    }),
  );
  assert.equal(principalKey(undefined), undefined);
  assert.throws(() => checkedPrincipal({ subject: 'a', scopes: [] }, undefined), /must name its issuer/);
});

test('the memory of tokens forgets what was used longest ago, and what has ended', () => {
  const principal = checkedPrincipal({ subject: 'a', scopes: [] }, 'as');
  const ask = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), put: fc.boolean(), now: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(ask), (asks) => {
      const cache = new TokenCache(3);
      let model: { key: string; goodUntilMs: number }[] = [];
      for (const { key, put, now } of asks) {
        const known = model.find((each) => each.key === key);
        model = model.filter((each) => each.key !== key);
        if (put) {
          cache.set(key, { principal, goodUntilMs: now + 5 });
          model = [...model, { key, goodUntilMs: now + 5 }].slice(-3);
        } else {
          const good = known !== undefined && known.goodUntilMs > now;
          assert.equal(cache.get(key, now)?.goodUntilMs, good ? known.goodUntilMs : undefined);
          if (good) model.push(known);
        }
        assert.equal(cache.size, model.length);
      }
    }),
  );
});

test('what is taken is given back, and nothing is kept of it', () => {
  const usage = new Usage();
  assert.deepEqual(
    [usage.take('a', 2), usage.take('a', 2), usage.take('a', 2), usage.take('b', 1)],
    [true, true, false, true],
  );
  usage.giveBack('a');
  assert.equal(usage.take('a', 2), true);
  for (const what of ['a', 'a', 'b']) usage.giveBack(what);
  assert.equal(usage.size, 0);
});

test('the metadata of a resource without a path is at the root', () => {
  const verify = (): never => {
    throw new Error('not here');
  };
  const authorizationServers = ['https://as.example'];
  const root = checkedAuthorization({ resource: 'https://a.example', authorizationServers, verify }, 'here');
  assert.equal(root.metadataUrl, 'https://a.example/.well-known/oauth-protected-resource');
  assert.deepEqual(Object.keys(root.documents), ['/.well-known/oauth-protected-resource']);
});

test('scopes that cannot be are refused where they are defined', () => {
  const info = { name: 's', version: '1' };
  const bad = ['two words'];
  const define = (members: object) => () => mcpServer('s', { info, ...members } as never);
  const input = { type: 'object' } as const;
  const message = /scopes must be/;
  assert.throws(define({ tools: { t: tool({ description: 'x', input, scopes: bad }, () => '' as never) } }), {
    code: 'ERR_TOOL',
    message,
  });
  assert.throws(define({ resources: { 'a://b': resource({ scopes: bad }, () => '') } }), {
    code: 'ERR_RESOURCE',
    message,
  });
  const shared = resource({ scopes: ['a'], cacheScope: 'public' }, () => '');
  assert.throws(define({ resources: { 'a://b': shared } }), { code: 'ERR_RESOURCE', message: /must not be shared/ });
});
