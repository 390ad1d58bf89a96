/** Whom a certificate names is the principal of what comes over its connection. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf, mcpClient } from '../../../mcp/client/index.ts';
import { mcpNode } from '../../../mcp/index.ts';
import { startSystem } from '../../../runtime/index.ts';
import { deepFreeze } from '../../../runtime/testing.ts';
import { tcpClient } from '../../../transports/client/index.ts';
import { tcp, tcpListenerName } from '../../../transports/tcp/index.ts';
import { authority, client, server as serverTls } from '../../support/certificates.ts';
import server from '../../support/protected-server.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

for (const pin of ['2026-07-28', '2025-11-25'] as const) {
  test(`with mutual TLS a tool knows the subject of its client, on each thread: ${pin}`, async (t) => {
    const transport = tcp({ port: 0, tls: { ...serverTls, clientCa: authority.cert } });
    const node = mcpNode('mcp', { servers: [server], transports: [transport] });
    const system = await startSystem({
      name: systemName(),
      children: [node],
      threads: { cpu: 1 },
      onSend: deepFreeze,
    });
    t.after(() => killSystem(system));
    const address = await system.call(tcpListenerName(), 'address');
    assert.ok('port' in address);
    const carrier = tcpClient({ port: address.port, tls: { ca: authority.cert, ...client } });
    const child = mcpClient('client', { transport: carrier, negotiation: { pin } });
    const mine = await startSystem({ name: systemName(), children: [child], onSend: deepFreeze });
    t.after(() => killSystem(mine));
    const reply = (await clientOf(mine, 'client').callTool('whoami')) as any;
    const { principal, threadId } = JSON.parse(reply.ok.content[0].text);
    assert.deepEqual(principal, { subject: 'O=acme\\, inc,CN=ann', scopes: [] });
    assert.notEqual(threadId, 0);
  });
}
