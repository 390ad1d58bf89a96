/** `jwtVerifier` against a real authorization server: which tokens are good, and what its keys cost. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { type JwtVerifierOptions, jwtVerifier } from '../../../mcp/authorization/jwt.ts';
import type { VerifyToken } from '../../../mcp/index.ts';
import { AuthorizationServer } from '../../support/authorization-server.ts';
import { temporaryFolder } from '../../support/mcp-command.ts';
import { buildFolder } from '../../support/repository.ts';

const resource = 'https://mcp.example/mcp';
const nowMs = (): number => performance.timeOrigin + performance.now();
const nowS = (): number => Math.floor(nowMs() / 1_000);

async function start(
  t: TestContext,
  options: Partial<JwtVerifierOptions> = {},
): Promise<{ readonly issuer: AuthorizationServer; readonly verify: (token: string) => ReturnType<VerifyToken> }> {
  const issuer = await AuthorizationServer.start(t);
  const verify = jwtVerifier({ issuer: issuer.issuer, jwksUri: issuer.jwksUri, ...options });
  return { issuer, verify: async (token) => verify(token, { resource, nowMs: nowMs(), signal: t.signal }) };
}

const invalid = { name: 'TokenError', code: 'invalid_token' };

test('a good token names its sender, client, scopes and end', async (t) => {
  const { issuer, verify } = await start(t, { clockToleranceS: 5 });
  const exp = nowS() + 60;
  const principal = await verify(await issuer.token(resource, { scope: 'a b', exp, role: 'admin' }));
  assert.deepEqual(
    { ...principal, claims: principal.claims?.['role'] },
    {
      subject: 'alice',
      issuer: issuer.issuer,
      clientId: 'tests',
      scopes: ['a', 'b'],
      expiresAt: (exp + 5) * 1_000,
      claims: 'admin',
    },
  );
  const other = await verify(
    await issuer.token(resource, { client_id: undefined, azp: 'app', scp: ['c', 'two words', 1] }),
  );
  assert.deepEqual([other.clientId, other.scopes], ['app', ['c']]);
  const several = await issuer.token(resource, { aud: ['https://other.example', resource] });
  assert.equal((await verify(several)).subject, 'alice');
});

test('what is wrong with a token is told, and not what it is', async (t) => {
  const { issuer, verify } = await start(t);
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ aud: 'https://other.example/mcp' }, /claim aud/],
    [{ aud: undefined }, /claim aud/],
    [{ iss: 'https://evil.example' }, /claim iss/],
    [{ iss: undefined }, /claim iss/],
    [{ exp: nowS() - 40 }, /expired/],
    [{ exp: undefined }, /claim exp/],
    [{ nbf: nowS() + 40 }, /claim nbf/],
    [{ sub: undefined }, /claim sub/],
    [{ sub: '' }, /sub is empty/],
  ];
  for (const [claims, message] of wrong) {
    await assert.rejects(verify(await issuer.token(resource, claims)) as Promise<unknown>, { ...invalid, message });
  }
  // Within the tolerance of the clocks.
  assert.equal((await verify(await issuer.token(resource, { exp: nowS() - 10 }))).subject, 'alice');
  assert.equal((await verify(await issuer.token(resource, { nbf: nowS() + 10 }))).subject, 'alice');
  const good = await issuer.token(resource);
  const forged = [good.slice(0, -4), `${good}x`, 'a.b.c', 'opaque', `${good.split('.').slice(0, 2).join('.')}.`];
  for (const token of forged) await assert.rejects(verify(token) as Promise<unknown>, invalid, token);
});

test('no token without a signature, and none that is signed with what everybody may read', async (t) => {
  const { issuer, verify } = await start(t);
  const claims = { iss: issuer.issuer, aud: resource, sub: 'alice', exp: nowS() + 60 };
  await assert.rejects(verify(new UnsecuredJWT(claims).encode()) as Promise<unknown>, invalid);
  const [key] = issuer.keys;
  const pem = String(createPublicKey({ key: key as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' }));
  for (const secret of [new TextEncoder().encode(pem), new TextEncoder().encode(JSON.stringify(key))]) {
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: key!.kid! }).sign(secret);
    await assert.rejects(verify(token) as Promise<unknown>, invalid);
  }
  // Signed by somebody else, with his own key in the header.
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const header = { alg: 'RS256', kid: key!.kid!, jwk: await exportJWK(publicKey), jku: 'https://evil.example/keys' };
  const token = await new SignJWT(claims).setProtectedHeader(header).sign(privateKey);
  await assert.rejects(verify(token) as Promise<unknown>, invalid);
});

test('a new key is fetched when a token names it; forged names do not make it fetch again and again', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: nowMs() });
  const { issuer, verify } = await start(t);
  await verify(await issuer.token(resource));
  await verify(await issuer.token(resource));
  assert.equal(issuer.keysFetched, 1);
  await issuer.rotate();
  const rotated = await issuer.token(resource);
  await assert.rejects(verify(rotated) as Promise<unknown>, invalid, 'within the cooldown');
  assert.equal(issuer.keysFetched, 1);
  t.mock.timers.setTime(nowMs() + 30_001);
  assert.equal((await verify(rotated)).subject, 'alice');
  assert.equal(issuer.keysFetched, 2);
  for (let n = 0; n < 5; n++) {
    const forged = await issuer.token(resource, {}, { kid: `forged-${n}` });
    await assert.rejects(verify(forged) as Promise<unknown>, invalid);
  }
  assert.equal(issuer.keysFetched, 2);
  t.mock.timers.setTime(nowMs() + 60_002);
  await assert.rejects(verify(await issuer.token(resource, {}, { kid: 'forged' })) as Promise<unknown>, invalid);
  assert.equal(issuer.keysFetched, 3);
});

test('keys that cannot be had are no fault of the token', async (t) => {
  const { issuer, verify } = await start(t);
  const token = await issuer.token(resource);
  issuer.keysStatus = 500;
  await assert.rejects(verify(token) as Promise<unknown>, { name: 'Error', message: /keys .* cannot be had/ });
  issuer.keysStatus = undefined;
  assert.equal((await verify(token)).subject, 'alice');
  const away = jwtVerifier({ issuer: issuer.issuer, jwksUri: 'http://127.0.0.1:9/keys' });
  const asked = away(token, { resource, nowMs: nowMs(), signal: t.signal });
  await assert.rejects(asked as Promise<unknown>, { name: 'Error', message: /cannot be had/ });
});

test('the audience, the type and the algorithms may be named', async (t) => {
  const { issuer, verify } = await start(t, {
    audience: ['api://files', 'other'],
    type: 'at+jwt',
    algorithms: ['RS256'],
  });
  assert.equal((await verify(await issuer.token('api://files'))).subject, 'alice');
  await assert.rejects(verify(await issuer.token(resource)) as Promise<unknown>, invalid);
  const untyped = await issuer.token('api://files', {}, { typ: 'JWT' });
  await assert.rejects(verify(untyped) as Promise<unknown>, { ...invalid, message: /claim typ/ });
  const { verify: others } = await start(t, { algorithms: ['ES256'] });
  await assert.rejects(others(await issuer.token(resource)) as Promise<unknown>, invalid);
});

test('options that cannot be are refused', () => {
  const good = { issuer: 'https://as.example', jwksUri: 'https://as.example/keys' };
  const refused = (change: object, message: RegExp): void =>
    assert.throws(() => jwtVerifier({ ...good, ...change }), { code: 'ERR_AUTHORIZATION', message });
  refused({ issuer: '' }, /issuer must be/);
  refused({ jwksUri: 'http://as.example/keys' }, /jwksUri must be/);
  refused({ jwksUri: 'keys' }, /jwksUri must be/);
  refused({ audience: [] }, /audience must be/);
  refused({ audience: '' }, /audience must be/);
  refused({ algorithms: [] }, /algorithms must be/);
  for (const alg of ['none', 'HS256', 'HS512', 'RS1', 'dir']) refused({ algorithms: ['RS256', alg] }, new RegExp(alg));
  refused({ clockToleranceS: -1 }, /clockToleranceS must be/);
  refused({ jwksCooldownMs: Number.NaN }, /jwksCooldownMs must be/);
  assert.equal(typeof jwtVerifier(good), 'function');
});

test('without the package jose the error says how to get it', (t) => {
  const folder = temporaryFolder(t);
  for (const each of ['mcp', 'runtime']) cpSync(join(buildFolder, each), join(folder, each), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const code = "import('./mcp/authorization/jwt.js').catch(({ message, cause }) => console.log(message, cause.code))";
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], { cwd: folder, encoding: 'utf8' });
  const expected = 'beamish/mcp/authorization/jwt needs the package jose: npm install jose ERR_MODULE_NOT_FOUND\n';
  assert.equal(run.stdout, expected, run.stderr);
});
