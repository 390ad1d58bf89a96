/** What the command says to the person who calls it, and the code it ends with. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { authority, server } from '../support/certificates.ts';
import {
  Command,
  type CommandOptions,
  demoModule,
  moduleFile,
  serverFile,
  temporaryFolder,
} from '../support/mcp-command.ts';
import { HttpClient } from '../support/mcp-http-client.ts';
import { readText } from '../support/repository.ts';
import type { Cleanup } from '../support/test-system.ts';

interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(t: Cleanup, args: readonly string[], options?: CommandOptions): Promise<Said> {
  const command = new Command(t, args, options);
  command.child.stdin.end();
  const { code } = await command.ended;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// ---- what it prints

test('serve prints the address, the tree, a request that works and how a client starts it', async (t) => {
  const command = new Command(t, ['serve', demoModule, '--port', '0']);
  const url = await command.url();
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
  const tree = /Supervision tree:\n([\s\S]*?)\n\n/.exec(command.stdout)?.[1] ?? '';
  assert.match(tree, /^root <\d+\.\d+>\n└─ mcp \(rest_for_one\) <\d+\.\d+>\n {3}├─ registry_sup \(one_for_one\) </);
  for (const id of ['registry', 'session_store', 'session_manager', 'session_sup', 'request_sup', 'listener']) {
    assert.match(tree, new RegExp(`─ ${id}( \\([a-z_]+\\))? <`), id);
  }
  assert.doesNotMatch(tree, /stopped|restarting|undefined/);

  const curl = /^curl -s (\S+) (.*) -d '(.*)'$/m.exec(command.stdout);
  assert.ok(curl, command.stdout);
  const [, address, options, body] = curl as unknown as [string, string, string, string];
  const headers = [...options.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, field, value]) => [field!, value!]);
  const response = await fetch(address, { method: 'POST', headers: Object.fromEntries(headers), body });
  const { result } = (await response.json()) as { result: { tools: { name: string }[] } };
  assert.deepEqual([response.status, result.tools[0]?.name], [200, 'echo']);

  const config = /over stdio is configured like this:\n([\s\S]*?\n})\n/.exec(command.stdout)?.[1];
  assert.deepEqual(JSON.parse(config!), {
    mcpServers: { 'demo-server': { command: 'npx', args: ['beamish', 'serve', demoModule, '--stdio'] } },
  });
  command.child.kill('SIGTERM');
  assert.equal((await command.ended).code, 0);
  assert.equal(command.stderr, '', 'nothing happened that would be worth a log line');
});

test('--help explains, without a command too; --version says which', async (t) => {
  const help = await run(t, ['--help']);
  assert.deepEqual([help.code, help.stderr], [0, '']);
  assert.match(help.stdout, /^Usage: beamish serve <module> \[options\]/);
  for (const word of ['--port', '--host', '--tcp', '--ws', '--stdio', 'BEAMISH_PORT', 'BEAMISH_HOST', 'BEAMISH_LOG']) {
    assert.ok(help.stdout.includes(word), word);
  }
  assert.deepEqual(await run(t, ['-h']), help);
  assert.deepEqual(await run(t, ['serve', '--help']), help);
  assert.deepEqual(await run(t, []), help);
  const { version } = JSON.parse(readText('package.json')) as { version: string };
  for (const flag of ['--version', '-v']) {
    assert.deepEqual(await run(t, [flag]), { code: 0, stdout: `${version}\n`, stderr: '' });
  }
});

// ---- where it listens

test('the port comes from --port, else from BEAMISH_PORT; the host likewise', async (t) => {
  const port = await freePort();
  const byEnv = new Command(t, ['serve', demoModule], { env: { BEAMISH_PORT: `${port}`, BEAMISH_HOST: 'localhost' } });
  assert.match(await byEnv.url(), new RegExp(`^http://(127\\.0\\.0\\.1|\\[::1\\]):${port}/mcp$`));
  const byFlag = new Command(t, ['serve', demoModule, '--port', '0', '--host', '127.0.0.1'], {
    env: { BEAMISH_PORT: `${port}`, BEAMISH_HOST: '203.0.113.1' },
  });
  const client = new HttpClient(await byFlag.url());
  assert.equal((await client.stateless('tools/list').answer()).result.tools[0].name, 'echo');
  client.close();
});

test('with --http2, or a certificate and its key, HTTP/2 is spoken beside HTTP/1.1', async (t) => {
  const folder = temporaryFolder(t);
  const files = ['cert', 'key'].map((what) => {
    const file = join(folder, `${what}.pem`);
    writeFileSync(file, server[what as 'cert' | 'key']);
    return [`--tls-${what}`, file];
  });
  for (const args of [['--http2'], files.flat()]) {
    const command = new Command(t, ['serve', demoModule, '--port', '0', ...args]);
    const url = await command.url();
    assert.equal(url.startsWith(args.length > 1 ? 'https:' : 'http:'), true, url);
    const session = http2.connect(url, { ca: authority.cert });
    const curl = /^curl -s \S+ (.*) -d '(.*)'$/m.exec(command.stdout);
    assert.ok(curl, command.stdout);
    const [, options, body] = curl as unknown as [string, string, string];
    const headers = [...options.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, field, value]) => [field!, value!]);
    const stream = session.request({ ':method': 'POST', ':path': '/mcp', ...Object.fromEntries(headers) });
    stream.end(body);
    let text = '';
    for await (const piece of stream) text += String(piece);
    assert.equal(JSON.parse(text).result.tools[0].name, 'echo');
    session.destroy();
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  }
});

test('a certificate that is not there, or is none, is named; exit code 2', async (t) => {
  for (const [file, message] of [
    ['no.pem', /no such file .*'no\.pem'/],
    [demoModule, /'tls' holds what OpenSSL does not take/],
  ] as const) {
    const { code, stderr } = await run(t, ['serve', demoModule, '--tls-cert', file, '--tls-key', file]);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
});

test('a busy port is named, with what to do about it; exit code 1', async (t) => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  t.after(() => other.close());
  const { port } = other.address() as net.AddressInfo;
  for (const args of [['--port', `${port}`], ['--port', `${port}`, '--stdio'], []]) {
    const { code, stdout, stderr } = await run(t, ['serve', demoModule, ...args], { env: { BEAMISH_PORT: `${port}` } });
    assert.deepEqual([code, stdout], [1, ''], args.join(' '));
    assert.match(stderr, new RegExp(`^beamish: port ${port} on 127\\.0\\.0\\.1 is in use: .*--port`, 'm'));
  }
});

test('an address that is not of this machine is named; exit code 1', async (t) => {
  const { code, stderr } = await run(t, ['serve', demoModule, '--port', '0', '--host', '203.0.113.1']);
  assert.equal(code, 1);
  assert.match(stderr, /^beamish: cannot listen on 203\.0\.113\.1, port 0: EADDRNOTAVAIL \(see --host and --port\)/m);
});

// ---- what is wrong with the command line

const wrong: readonly (readonly [args: readonly string[], message: RegExp, env?: Record<string, string>])[] = [
  [['serve'], /serve needs the module of a server/],
  [['server', demoModule], /unknown command 'server'/],
  [['serve', demoModule, 'more'], /unexpected argument 'more'/],
  [['serve', demoModule, '--prot', '1'], /'--prot'/],
  [['serve', demoModule, '--port'], /--port/],
  [['serve', demoModule, '--port', '80a'], /--port must be a whole number from 0 to 65535, not '80a'/],
  [['serve', demoModule, '--port', '65536'], /--port must be .* not '65536'/],
  [['serve', demoModule, '--port=-1'], /--port must be .* not '-1'/],
  [['serve', demoModule, '--tls-cert', 'a.pem'], /--tls-cert and --tls-key go together/],
  [['serve', demoModule, '--stdio', '--http2'], /beside --stdio, --tcp or --ws it needs --port/],
  [['serve', demoModule, '--ws', '0', '--http2'], /beside --stdio, --tcp or --ws it needs --port/],
  [
    ['serve', demoModule, '--stdio', '--tls-cert', 'a', '--tls-key', 'b'],
    /beside --stdio they need --port, --tcp or --ws/,
  ],
  [['serve', demoModule, '--tcp'], /--tcp/],
  [['serve', demoModule, '--tcp', 'x.sock'], /--tcp must be a whole number .* begins with \/, not 'x\.sock'/],
  [['serve', demoModule, '--tcp', '65536'], /--tcp must be a whole number from 0 to 65535, .* not '65536'/],
  [['serve', demoModule, '--ws', '/x.sock'], /--ws must be a whole number from 0 to 65535, not '\/x\.sock'/],
  [['serve', demoModule], /BEAMISH_PORT must be .* not 'http'/, { BEAMISH_PORT: 'http' }],
];

for (const [args, message, env = {}] of wrong) {
  test(`beamish ${args.map((arg) => basename(arg)).join(' ')} is wrong, and is told why; exit code 2`, async (t) => {
    const { code, stdout, stderr } = await run(t, args, { env });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, message);
    assert.match(stderr, /Usage: beamish serve/);
  });
}

// ---- what is wrong with the module

const modules: readonly (readonly [what: string, code: string, message: RegExp])[] = [
  ['has no default export', 'export const server = 1;', /must export a server by default: .*it has no default export/],
  ['exports an object', 'export default {};', /its default export is an object/],
  ['exports null', 'export default null;', /its default export is null/],
  ['exports a list', 'export default [];', /its default export is an array/],
  ['throws', "throw new Error('no database');", /could not be loaded:\nError: no database\n +at file:.*server\.mjs:2/],
  ['throws no error', "throw 'a text';", /could not be loaded:\na text/],
  ['rejects', "await Promise.reject(new Error('no network'));", /could not be loaded:\nError: no network/],
  ['is no JavaScript', 'export default {', /could not be loaded:\n[\s\S]*SyntaxError/],
  ['imports what is not there', "import 'no-such-package';", /could not be loaded:\n.*no-such-package/],
  [
    'defines a wrong tool',
    `export default mcp.mcpServer('s', { info: { name: 's', version: '1' }, tools: {
       bad: mcp.tool({ description: 'x', input: { type: 'objekt' } }, () => {}) } });`,
    /could not be loaded:\nDefinitionError: server "s", tool "bad": input at \/type/,
  ],
];

for (const [what, code, message] of modules) {
  test(`a module that ${what} is told so; exit code 2`, async (t) => {
    const file = moduleFile(t, code);
    const ended = await run(t, ['serve', file, '--port', '0']);
    assert.deepEqual([ended.code, ended.stdout], [2, '']);
    assert.ok(ended.stderr.startsWith(`beamish: the module '${file}' `), ended.stderr);
    assert.match(ended.stderr, message);
  });
}

test('a module that is not there is named, with where it was looked for; exit code 2', async (t) => {
  const cwd = temporaryFolder(t);
  for (const module of ['./none.js', 'no-such-package', '/none/at/all.js']) {
    const { code, stderr } = await run(t, ['serve', module, '--port', '0'], { cwd });
    assert.equal(code, 2);
    assert.ok(stderr.includes(`beamish: cannot find the module '${module}' (looked for /`), stderr);
  }
});

test('a module is found as a file and as a package, both seen from where the command is called', async (t) => {
  const cwd = temporaryFolder(t);
  const info = "{ info: { name: 'found', version: '1' } }";
  moduleFile(t, `export default mcp.mcpServer('file', ${info});`, join(cwd, 'server.mjs'));
  moduleFile(
    t,
    `export default mcp.mcpServer('package', ${info});`,
    join(cwd, 'node_modules', 'a-server', 'index.mjs'),
  );
  const manifest = join(cwd, 'node_modules', 'a-server', 'package.json');
  writeFileSync(manifest, JSON.stringify({ name: 'a-server', main: './index.mjs', exports: './index.mjs' }));
  for (const module of ['server.mjs', './server.mjs', 'a-server']) {
    const command = new Command(t, ['serve', module, '--port', '0'], { cwd });
    const client = new HttpClient(await command.url());
    const { result } = await client.stateless('server/discover').answer();
    assert.equal(result._meta['io.modelcontextprotocol/serverInfo'].name, 'found');
    client.close();
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  }
});

// ---- what it logs

test('the log names the tool that failed and the request; its level is BEAMISH_LOG', async (t) => {
  const file = serverFile(
    t,
    "fails: mcp.tool({ description: 'x', input: { type: 'object' } }, () => { throw new Error('oops'); })",
  );
  for (const [level, expected] of [
    ['info', /"msg":"tools\/call fails, request 1 crashed: .*oops/],
    ['silent', /^$/],
    ['loud', /"BEAMISH_LOG":"loud","msg":"unknown log level; using info"/],
  ] as const) {
    const command = new Command(t, ['serve', file, '--port', '0'], { env: { BEAMISH_LOG: level } });
    const client = new HttpClient(await command.url());
    const { result } = await client.stateless('tools/call', { name: 'fails' }).answer();
    assert.equal(result.isError, true);
    client.close();
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
    assert.match(command.stderr, expected);
  }
});
