/** What `beamish serve` listens on beside HTTP: TCP, a Unix socket, WebSocket. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientOf, mcpClient } from '../../mcp/client/index.ts';
import { startSystem } from '../../runtime/index.ts';
import { type ClientTransport, tcpClient, webSocketClient } from '../../transports/client/index.ts';
import { authority, server } from '../support/certificates.ts';
import { Command, demoModule, temporaryFolder } from '../support/mcp-command.ts';
import { HttpClient } from '../support/mcp-http-client.ts';

/** What the tool `echo` says to a client of ours. */
async function echoOver(transport: ClientTransport): Promise<unknown> {
  const system = await startSystem({ children: [mcpClient('client', { transport })] });
  try {
    const answer = await clientOf(system, 'client').callTool('echo', { text: 'over a socket' });
    return 'ok' in answer ? answer.ok.content : answer;
  } finally {
    await system.stop();
  }
}

const said = [{ type: 'text', text: 'over a socket' }];

/** The addresses that it printed, when it has printed all. */
async function listening(command: Command): Promise<string[]> {
  await command.until('stdout', /Stop with Ctrl-C/);
  return [...command.stdout.matchAll(/^Listening on (\S+)$/gm)].map(([, url]) => url as string);
}

test('--tcp and --ws each serve on a port of their own; HTTP is there only if --port is', async (t) => {
  const command = new Command(t, ['serve', demoModule, '--tcp', '0', '--ws', '0'], { env: { BEAMISH_PORT: '1' } });
  const [tcp, ws, ...more] = await listening(command);
  assert.deepEqual(more, []);
  assert.match(tcp!, /^tcp:\/\/127\.0\.0\.1:\d+$/);
  assert.match(ws!, /^ws:\/\/127\.0\.0\.1:\d+\/mcp$/);
  assert.deepEqual(await echoOver(tcpClient({ port: Number(new URL(tcp!).port) })), said);
  assert.deepEqual(await echoOver(webSocketClient({ url: ws! })), said);
  assert.doesNotMatch(command.stdout, /curl/);
  command.child.kill('SIGTERM');
  assert.deepEqual(await command.ended, { code: 0, signal: null });
});

test('--tcp /path serves a Unix socket, beside HTTP on --port', async (t) => {
  const path = join(temporaryFolder(t), 'mcp.sock');
  const command = new Command(t, ['serve', demoModule, '--tcp', path, '--port', '0']);
  const [http, unix, ...more] = await listening(command);
  assert.deepEqual([more, unix], [[], `unix:${path}`]);
  assert.deepEqual(await echoOver(tcpClient({ path })), said);
  const client = new HttpClient(http!);
  assert.equal((await client.stateless('tools/list').answer()).result.tools[0].name, 'echo');
  client.close();

  const second = new Command(t, ['serve', demoModule, '--tcp', path]);
  assert.deepEqual(await second.ended, { code: 1, signal: null });
  const expected = `beamish: ${path} is in use: stop what listens there, or choose another with --tcp`;
  assert.ok(second.stderr.includes(expected), second.stderr);

  const tooLong = new Command(t, ['serve', demoModule, '--tcp', `/${'x'.repeat(200)}`]);
  assert.equal((await tooLong.ended).code, 2);
  assert.match(tooLong.stderr, /^beamish: transport option 'path' must have at most 107 bytes, not 201$/m);
});

test('a busy port of --tcp or --ws is named with the option; exit code 1', async (t) => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  t.after(() => other.close());
  const { port } = other.address() as net.AddressInfo;
  for (const option of ['--tcp', '--ws']) {
    const command = new Command(t, ['serve', demoModule, option, String(port)]);
    assert.equal((await command.ended).code, 1);
    const place = `port ${port} on 127.0.0.1`;
    const expected = `beamish: ${place} is in use: stop what listens there, or choose another with ${option}`;
    assert.ok(command.stderr.includes(expected), command.stderr);
  }
});

test('with a certificate and its key, TCP and WebSocket are encrypted too', async (t) => {
  const folder = temporaryFolder(t);
  const files = (['cert', 'key'] as const).flatMap((what) => {
    writeFileSync(join(folder, what), server[what]);
    return [`--tls-${what}`, join(folder, what)];
  });
  const command = new Command(t, ['serve', demoModule, '--tcp', '0', '--ws', '0', ...files]);
  const [tcp, ws] = await listening(command);
  const tls = { ca: authority.cert };
  assert.match(ws!, /^wss:/);
  assert.deepEqual(await echoOver(tcpClient({ port: Number(new URL(tcp!).port), tls })), said);
  assert.deepEqual(await echoOver(webSocketClient({ url: ws!, tls })), said);
});

test('with --stdio the addresses are on standard error', async (t) => {
  const command = new Command(t, ['serve', demoModule, '--stdio', '--tcp', '0']);
  const [, url] = await command.until('stderr', /Listening on (tcp:\S+)/);
  assert.deepEqual(await echoOver(tcpClient({ port: Number(new URL(url!).port) })), said);
  command.child.stdin.end();
  assert.deepEqual(await command.ended, { code: 0, signal: null });
  assert.equal(command.stdout, '');
});
