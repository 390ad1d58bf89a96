/** Servers as child processes: real ones, with real signals. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { clientOf, type McpClient, mcpClient } from '../../../mcp/client/index.ts';
import { type System, startSystem } from '../../../runtime/index.ts';
import { type ChildProcessOptions, childProcess } from '../../../transports/client/index.ts';
import { ClientEvents } from '../../support/mcp-client-events.ts';
import { builtPath } from '../../support/repository.ts';
import { killSystem, systemName } from '../../support/test-system.ts';
import { Witness } from '../../support/witness.ts';

const posixOnly = { skip: process.platform === 'win32' ? 'Windows has no signals and no groups' : false };
const lineChild = fileURLToPath(new URL('../../support/line-child.js', import.meta.url));

interface Running {
  readonly client: McpClient;
  readonly system: System;
  readonly witness: Witness;
  readonly events: ClientEvents;
}

async function run(t: TestContext, mode: string, options: Partial<ChildProcessOptions> = {}): Promise<Running> {
  const witness = await Witness.start(t);
  const name = systemName();
  const events = new ClientEvents(t, name);
  const transport = childProcess({ command: process.execPath, args: [lineChild, mode, witness.port], ...options });
  const system = await startSystem({ name, children: [mcpClient('c', { transport, negotiation: 'legacy' })] });
  t.after(() => killSystem(system));
  return { client: clientOf(system, 'c'), system, witness, events };
}

test('a server as a child: requests and answers, its own environment and folder', async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'beamish-child-')));
  t.after(() => rmSync(folder, { recursive: true }));
  process.env['BEAMISH_SECRET'] = 'not for children';
  t.after(() => delete process.env['BEAMISH_SECRET']);
  const { client } = await run(t, 'good', { env: { GIVEN: 'yes' }, cwd: folder });
  const { ok } = (await client.request('what')) as any;
  assert.deepEqual([ok.env.GIVEN, ok.env.BEAMISH_SECRET, ok.cwd], ['yes', undefined, folder]);
  assert.equal(ok.env.PATH, process.env['PATH']);
});

test('a stop is the end of input first: a server that follows it sees no signal', async (t) => {
  const { client, system, witness } = await run(t, 'good');
  await client.ready();
  await system.stop();
  await witness.allGone();
  assert.deepEqual(witness.told, ['good up', 'good end of input']);
});

test('a server that ignores the end of its input gets SIGTERM', posixOnly, async (t) => {
  const { client, system, witness } = await run(t, 'stubborn', { endOfInputMs: 50 });
  await client.ready();
  await system.stop();
  await witness.allGone();
  assert.deepEqual(witness.told, ['stubborn up', 'stubborn end of input', 'stubborn SIGTERM']);
});

test('a server that ignores SIGTERM too gets SIGKILL', posixOnly, async (t) => {
  const { client, system, witness } = await run(t, 'deaf', { endOfInputMs: 50, sigtermMs: 50 });
  await client.ready();
  await system.stop();
  await witness.allGone();
  assert.ok(witness.told.includes('deaf SIGTERM'));
});

test('what a server has started ends with it', posixOnly, async (t) => {
  const { client, system, witness } = await run(t, 'parent');
  await client.ready();
  await witness.heard('deaf up');
  await system.stop();
  await witness.allGone();
});

test('a kill of the system leaves no server behind', posixOnly, async (t) => {
  const { client, system, witness } = await run(t, 'deaf');
  await client.ready();
  await killSystem(system);
  await witness.allGone();
});

/** A program that runs a client of such a child, and is killed when the child is up. */
async function killedProgram(t: TestContext, mode: string, signal: NodeJS.Signals): Promise<Witness> {
  const witness = await Witness.start(t);
  const url = (source: string): string => JSON.stringify(pathToFileURL(builtPath(source)).href);
  const code = `
    import { startSystem } from ${url('runtime/index.ts')};
    import { clientOf, mcpClient } from ${url('mcp/client/index.ts')};
    import { childProcess } from ${url('transports/client/index.ts')};
    const args = ${JSON.stringify([lineChild, mode, witness.port])};
    const transport = childProcess({ command: process.execPath, args, endOfInputMs: 1, sigtermMs: 1 });
    const system = await startSystem({ children: [mcpClient('c', { transport, negotiation: 'legacy' })] });
    await clientOf(system, 'c').ready();
    console.log('ready');
  `;
  const program = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => program.kill('SIGKILL'));
  await once(program.stdout, 'data');
  program.kill(signal);
  await once(program, 'exit');
  return witness;
}

for (const mode of ['good', 'stubborn', 'deaf', 'parent']) {
  test(`kill -9 of the program leaves no ${mode} server behind`, posixOnly, async (t) => {
    const witness = await killedProgram(t, mode, 'SIGKILL');
    await witness.allGone();
    assert.ok(witness.told.includes(`${mode} end of input`));
  });
}

test('a server that exits: the call is lost, the reason says how, the next one is another process', async (t) => {
  const { client, events } = await run(t, 'crash');
  const first = ((await client.request('what')) as any).ok.pid;
  await events.until('log', ({ text }) => text === 'about to fail');
  const { error } = (await client.request('die')) as any;
  assert.equal(error.code, 'ERR_MCP_CONNECTION_LOST');
  const { reason } = await events.state('waiting');
  assert.deepEqual(reason, { shutdown: { child_exit: { code: 7, signal: null, lastLog: 'about to fail' } } });
  client.reconnect();
  const second = ((await client.request('what')) as any).ok.pid;
  assert.notEqual(second, first);
});

test('a server that reads no more is let go when too much waits for it', async (t) => {
  const { client, events } = await run(t, 'full', { queuedBytesMax: 1_000 });
  await client.ready();
  const replies = [client.callTool('a', { text: 'x'.repeat(1_000_000) }), client.callTool('b')];
  const { reason } = await events.state('waiting');
  assert.deepEqual(reason, { shutdown: { slow_reader: { limitBytes: 1_000 } } });
  for (const reply of await Promise.all(replies)) {
    assert.equal((reply as any).error.code, 'ERR_MCP_CONNECTION_LOST');
  }
});

test('a command that does not exist does not end the program; the state says why', async (t) => {
  const { events } = await run(t, 'good', { command: 'no-such-command-of-ours', args: [] });
  const { reason } = await events.state('waiting');
  assert.match(JSON.stringify(reason), process.platform === 'win32' ? /ENOENT/ : /"code":127.*no-such-command-of-ours/);
});

test('options that cannot be are refused', () => {
  const refused = (options: object, message: RegExp): void =>
    assert.throws(() => childProcess(options as ChildProcessOptions), { code: 'ERR_TRANSPORT_OPTION', message });
  refused({}, /'command' must be/);
  refused({ command: 'x', args: 'y' }, /'args' must be/);
  refused({ command: 'x', endOfInputMs: 0 }, /'endOfInputMs' must be/);
});
