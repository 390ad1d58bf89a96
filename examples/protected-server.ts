/**
 * An MCP server that wants tokens (OAuth 2.1). It learns who asks from tokens that an authorization server has signed,
 * and keeps apart what belongs to whom; a tool may need more than others.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { jwtVerifier } from '../mcp/authorization/jwt.ts';
import { clientOf, mcpClient } from '../mcp/client/index.ts';
import { mcpNode, mcpServer, text, tool } from '../mcp/index.ts';
import { type ChildSpec, startSystem } from '../runtime/index.ts';
import { httpClient } from '../transports/client/index.ts';
import { listenerName, streamableHttp } from '../transports/http/index.ts';

// Stands for your authorization server: it publishes the key, and signs tokens for whoever has logged in there.
const { publicKey, privateKey } = await generateKeyPair('RS256');
const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' }] });
const login = createServer((_request, response) => response.end(keys)).listen(0, '127.0.0.1');
await once(login, 'listening');
const issuer = `http://127.0.0.1:${(login.address() as { port: number }).port}`;
const resource = 'https://mcp.example.com/mcp'; // what tokens are for: the address that clients know
const token = (subject: string, scope: string): Promise<string> =>
  new SignJWT({ iss: issuer, aud: resource, sub: subject, scope })
    .setProtectedHeader({ alg: 'RS256', kid: 'one' })
    .setExpirationTime('5m')
    .sign(privateKey);

const notes = mcpServer('notes', {
  info: { name: 'notes', version: '1.0.0' },
  tools: {
    mine: tool({ description: 'Whose?', input: { type: 'object' } }, (_args, ctx) =>
      text(`notes of ${ctx.principal?.subject}`),
    ),
    burn: tool({ description: 'Burns them.', input: { type: 'object' }, scopes: ['notes:write'] }, () => text('burnt')),
  },
});
const verify = jwtVerifier({ issuer, jwksUri: `${issuer}/keys` });
const authorization = { resource, authorizationServers: [issuer], scopesSupported: ['notes:write'], verify };
const transports = [{ transport: streamableHttp({ port: 0 }), authorization }];
const system = await startSystem({ children: [mcpNode('mcp', { servers: [notes], transports })] });
const { url } = await system.call(listenerName('http'), 'address');

const anybody = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
assert.equal(anybody.status, 401, 'no token; WWW-Authenticate says where clients get one');
const clientNamed = async (name: string, scope = ''): Promise<ChildSpec> => {
  const headers = { authorization: `Bearer ${await token(name, scope)}` };
  return mcpClient(name, { transport: httpClient({ url, headers }) });
};
const clients = await startSystem({ children: [await clientNamed('ann', 'notes:write'), await clientNamed('bob')] });
const [ann, bob] = [clientOf(clients, 'ann'), clientOf(clients, 'bob')];
const said = (reply: object): unknown => ('ok' in reply ? (reply.ok as any).content[0].text : 'refused');
assert.equal(said(await ann.callTool('mine')), 'notes of ann');
assert.equal(said(await bob.callTool('mine')), 'notes of bob');
assert.deepEqual([said(await ann.callTool('burn')), said(await bob.callTool('burn'))], ['burnt', 'refused']);
await clients.stop();
await system.stop();
login.close();
console.log('protected');
