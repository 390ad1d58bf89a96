/** The package inside programs of others: it leaves nothing behind, and shares nothing with a second system. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { mcpNode } from '../../mcp/index.ts';
import { name, type System, startSystem } from '../../runtime/index.ts';
import { listenerName, mountHttp, streamableHttp } from '../../transports/http/index.ts';
import { temporaryFolder } from '../support/mcp-command.ts';
import { HttpClient, HttpSession } from '../support/mcp-http-client.ts';
import { Gate, testServer } from '../support/mcp-tools.ts';
import { builtPath } from '../support/repository.ts';
import { killSystem } from '../support/test-system.ts';

interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** The packages as a program finds them. */
const packages = {
  beamish: 'runtime/index.ts',
  mcp: 'mcp/index.ts',
  http: 'transports/http/index.ts',
  memory: 'transports/memory.ts',
  stdio: 'transports/stdio.ts',
};

/**
 * Runs a program to its own end: nobody stops it. Its output goes to a file, since a pipe would be one of its resources. `mcp`,
 * `http` and so on are the packages, `server` is a server.
 */
async function runProgram(t: TestContext, code: string): Promise<ProgramEnd> {
  const folder = temporaryFolder(t);
  const imports = Object.entries(packages).map(
    ([as, source]) => `import * as ${as} from ${JSON.stringify(pathToFileURL(builtPath(source)).href)};`,
  );
  const server = `const server = mcp.mcpServer('s', { info: { name: 's', version: '1' }, tools: {
    double: mcp.tool({ description: 'Doubles.', input: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] } },
      ({ n }) => mcp.text(String(2 * n))),
    timer: mcp.tool({ description: 'Throws in a timer.', input: { type: 'object' } },
      () => { setTimeout(() => { throw new Error('in a timer'); }, 1); return new Promise(() => {}); }),
    floats: mcp.tool({ description: 'Leaves a rejection.', input: { type: 'object' } },
      () => { void Promise.reject(new Error('floating')); return new Promise(() => {}); }),
    late: mcp.tool({ description: 'Throws after its answer.', input: { type: 'object' } },
      () => { setTimeout(() => { throw new Error('too late'); }, 1); return mcp.text('in time'); }),
    aborts: mcp.tool({ description: 'Throws when it is aborted.', input: { type: 'object' }, timeoutMs: 50 },
      (_, { signal }) => { signal.addEventListener('abort', () => { throw new Error('aborted'); }); return new Promise(() => {}); }),
  } });`;
  const file = join(folder, 'program.mjs');
  const before = 'const eventsBefore = process.eventNames();';
  writeFileSync(file, [...imports, before, server, code].join('\n'));
  const out = join(folder, 'output');
  const fd = openSync(out, 'w');
  const child = spawn(process.execPath, [file], { stdio: ['ignore', fd, fd] });
  closeSync(fd);
  t.after(() => child.kill('SIGKILL'));
  const [exitCode, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return { code: exitCode, signal, output: readFileSync(out, 'utf8') };
}

/**
 * Prints what keeps the program alive, and the events of the process that somebody listens to beside Node.js itself. Sockets that
 * were closed are gone at the end of that turn of the event loop.
 */
const printLeftovers = `
  for (let turn = 0; turn < 2; turn++) await new Promise((next) => setImmediate(next));
  const leftovers = [...process.getActiveResourcesInfo(), ...process.eventNames().filter((event) => !eventsBefore.includes(event))];
  console.log('leftovers', JSON.stringify(leftovers));`;

function endedByItself({ code, signal, output }: ProgramEnd): void {
  assert.deepEqual([code, signal], [0, null], output);
  assert.match(output, /^leftovers \[\]$/m);
}

// ---- a program that ends

test('a program that starts a system, calls it and stops it ends by itself, with nothing left open', async (t) => {
  const end = await runProgram(
    t,
    `const Counter = beamish.genServer(import.meta, 'Counter', {
      init: (start) => start,
      handleCall: { add: (count, by) => beamish.reply(count + by, count + by) },
    });
    const counter = beamish.name('counter');
    const system = await beamish.startSystem({ children: [beamish.child(Counter, 40, { name: counter })] });
    console.log('answer', await system.call(counter, 'add', 2));
    await system.stop();
    ${printLeftovers}`,
  );
  endedByItself(end);
  assert.match(end.output, /^answer 42$/m);
});

test('so does one that serves MCP over HTTP and in memory, with calls and a crash behind it', async (t) => {
  const end = await runProgram(
    t,
    `const transports = [http.streamableHttp({ port: 0 }), memory.memory()];
    const system = await beamish.startSystem({ children: [mcp.mcpNode('mcp', { servers: [server], transports })] });
    const { url } = await system.call(http.listenerName('http'), 'address');
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'double', arguments: { n: 21 }, _meta: meta } };
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', connection: 'close',
      'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'double' };
    const { request } = await import('node:http');
    const answer = await new Promise((resolve) => request(url, { method: 'POST', headers, agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve(text);
    }).end(JSON.stringify(body)));
    console.log('answer', JSON.parse(answer).result.content[0].text);
    const client = await memory.connectMemory(system);
    client.send({ jsonrpc: '2.0', id: 1, method: 'ping' });
    console.log('pong', JSON.stringify((await client.messages.next()).value));
    system.exitProcess(system.whereis('mcp_session_manager'), 'kill');
    await system.stop();
    ${printLeftovers}`,
  );
  endedByItself(end);
  assert.match(end.output, /^answer 42$/m);
  assert.match(end.output, /^pong .*"result":\{\}/m);
});

test('a system that could not start leaves nothing behind either', async (t) => {
  const end = await runProgram(
    t,
    `const { createServer } = await import('node:net');
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const transports = [memory.memory(), http.streamableHttp({ port: other.address().port })];
    const reason = await beamish.startSystem({ children: [mcp.mcpNode('mcp', { servers: [server], transports })] }).catch((error) => error);
    console.log(reason.name, JSON.stringify(reason.reason));
    await new Promise((resolve) => other.close(resolve));
    ${printLeftovers}`,
  );
  endedByItself(end);
  assert.match(end.output, /^StartError .*EADDRINUSE/m);
});

test('several systems started and stopped one after the other, and at once, end as well', async (t) => {
  const end = await runProgram(
    t,
    `const start = () => beamish.startSystem({ children: [mcp.mcpNode('mcp', { servers: [server], transports: [http.streamableHttp({ port: 0 })] })] });
    for (let n = 0; n < 3; n++) await (await start()).stop();
    const systems = await Promise.all([start(), start(), start()]);
    await Promise.all(systems.map((system) => system.stop()));
    ${printLeftovers}`,
  );
  endedByItself(end);
});

test('signals belong to the program: without the option it dies of them, with it the system stops in order', async (t) => {
  const node = (options: string): string => `
    const system = await beamish.startSystem({ ${options} children: [mcp.mcpNode('mcp', { servers: [server], transports: [memory.memory()] })] });
    process.kill(process.pid, 'SIGTERM');
    await system.terminated;
    console.log('stopped', system.stopRequested);
    ${printLeftovers}`;
  const own = await runProgram(t, node(''));
  assert.deepEqual([own.code, own.signal], [null, 'SIGTERM']);
  const orderly = await runProgram(t, node("signals: ['SIGTERM'],"));
  endedByItself(orderly);
  assert.match(orderly.output, /^stopped true$/m);
});

test('what tools leave behind is theirs: the program, which listens for no errors, lives and ends in order', async (t) => {
  const end = await runProgram(
    t,
    `const { subscribe } = await import('node:diagnostics_channel');
    const crashes = [];
    let crashed = () => {};
    subscribe(beamish.channels.crashReport, ({ label, late }) => {
      crashes.push(label + (late === true ? ', late' : ''));
      crashed();
    });
    const system = await beamish.startSystem({ children: [mcp.mcpNode('mcp', { servers: [server], transports: [memory.memory()] })] });
    const client = await memory.connectMemory(system);
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
    for (const [name, reports] of [['timer', 1], ['floats', 2], ['late', 3], ['aborts', 5]]) {
      const reported = new Promise((resolve) => { crashed = () => crashes.length === reports && resolve(); });
      client.send({ jsonrpc: '2.0', id: name, method: 'tools/call', params: { name, _meta } });
      const { id, error, result } = (await client.messages.next()).value;
      console.log(id, error?.message ?? result.content[0].text);
      await reported;
    }
    console.log(JSON.stringify(crashes));
    await system.stop();
    ${printLeftovers}`,
  );
  endedByItself(end);
  assert.match(end.output, /^timer tool "timer" failed: .*in a timer$/m);
  assert.match(end.output, /^floats tool "floats" failed: .*floating$/m);
  assert.match(end.output, /^late in time$/m);
  assert.match(end.output, /^aborts tool "aborts" did not finish within 50 ms$/m);
  // The last of them counts twice: the deadline, and what its abort listener throws then.
  const labels = ['timer', 'floats', 'late', 'aborts', 'aborts'].map((tool) => `tools/call ${tool}, request "${tool}"`);
  const late = [false, false, true, false, true];
  const expected = labels.map((label, n) => (late[n] === true ? `${label}, late` : label));
  assert.ok(end.output.includes(JSON.stringify(expected)), end.output);
});

test('an abort listener that throws when the system stops does not end the program', async (t) => {
  const end = await runProgram(
    t,
    `const transports = [memory.memory({ drainTimeoutMs: 1 })];
    const system = await beamish.startSystem({ children: [mcp.mcpNode('mcp', { servers: [server], transports })] });
    const { subscribe } = await import('node:diagnostics_channel');
    const client = await memory.connectMemory(system);
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
    const running = new Promise((resolve) =>
      subscribe(beamish.channels.processStart, ({ initialCall }) => initialCall.endsWith('#Request') && resolve()));
    client.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'aborts', _meta } });
    await running;
    await new Promise((next) => setImmediate(next));
    await system.stop();
    ${printLeftovers}`,
  );
  endedByItself(end);
});

test('an uncaught error of the program itself ends it as ever, though a system runs', async (t) => {
  const end = await runProgram(
    t,
    `await beamish.startSystem({ children: [mcp.mcpNode('mcp', { servers: [server], transports: [memory.memory()] })] });
    setImmediate(() => { throw new Error('of the program'); });`,
  );
  assert.equal(end.code, 1);
  assert.match(end.output, /Error: of the program\n +at .*program\.mjs/);
});

// ---- a server that is there already

interface Mounted {
  readonly system: System;
  readonly gate: Gate;
  readonly url: string;
  readonly own: string;
}

/** A program's own `node:http` server, one path of which is MCP. */
async function mounted(t: TestContext): Promise<Mounted> {
  const gate = new Gate();
  const mcp = mountHttp({ path: '/mcp' });
  const system = await startSystem({
    children: [mcpNode('mcp', { servers: [testServer(gate)], transports: [mcp] })],
  });
  const handle = mcp.handler(system);
  const server = http.createServer((request, response) => {
    if (request.url === '/own') response.end('the program itself');
    else handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    await killSystem(system);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { system, gate, url: `${origin}/mcp`, own: `${origin}/own` };
}

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();

test('MCP under a server that is there already: both eras, progress, and the rest of the program beside it', async (t) => {
  const { gate, url, own } = await mounted(t);
  const session = await HttpSession.open(url);
  const exchange = session.tool('hold', { key: 'a' }, { id: 'h', meta: { progressToken: 1 } });
  const call = await gate.held('a');
  call.ctx.progress(1, 2);
  assert.equal((await exchange.message(0)).params.progress, 1);
  assert.equal(await textOf(own), 'the program itself');
  const client = new HttpClient(url);
  const answer = await client.stateless('tools/call', { name: 'whoami' }).answer();
  assert.equal(answer.result.structuredContent.era, 'stateless');
  call.release();
  assert.equal((await exchange.answer()).result.content[0].text, 'released a');
  assert.equal((await session.end()).status, 204);
  assert.equal((await session.request('tools/list').ended).status, 404);
  for (const each of [client, session.client]) each.close();
});

test('a client of the mounted endpoint that leaves cancels its stateless call; the system recovers under its server', async (t) => {
  const { system, gate, url, own } = await mounted(t);
  const client = new HttpClient(url);
  const exchange = client.stateless('tools/call', { name: 'hold', arguments: { key: 'a' } });
  const { ctx } = await gate.held('a');
  const aborted = new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  exchange.leave();
  await aborted;
  const session = await HttpSession.open(url);
  const pid = system.whereis(name(`mcp_session:${session.id}`));
  assert.ok(pid);
  system.exitProcess(pid, 'kill');
  assert.match((await session.tool('echo', { text: 'x' }).answer()).result.content[0].text, /^x, said to test/);
  assert.equal(await textOf(own), 'the program itself');
  for (const each of [client, session.client]) each.close();
});

test('when the system has stopped, its endpoint is 503 and the program goes on', async (t) => {
  const { system, gate, url, own } = await mounted(t);
  const session = await HttpSession.open(url);
  const exchange = session.tool('hold', { key: 'a' });
  const call = await gate.held('a');
  const stopped = system.stop();
  call.release();
  assert.equal((await exchange.answer()).result.content[0].text, 'released a', 'what is open is finished');
  await stopped;
  const after = await session.request('tools/list').ended;
  assert.deepEqual([after.status, after.messages[0].error.data.reason], [503, 'unavailable']);
  assert.equal(await textOf(own), 'the program itself');
  session.client.close();
});

// ---- two systems in one program

test('two systems with the same names do not see each other; one stops, the other serves', async (t) => {
  const gates = [new Gate(), new Gate()];
  const systems = await Promise.all(
    gates.map((gate) =>
      startSystem({
        children: [mcpNode('mcp', { servers: [testServer(gate)], transports: [streamableHttp({ port: 0 })] })],
      }),
    ),
  );
  for (const system of systems) t.after(() => killSystem(system));
  const urls = await Promise.all(
    systems.map(async (system) => (await system.call(listenerName('http'), 'address')).url),
  );
  const [one, other] = systems as [System, System];
  const sessions = await Promise.all(urls.map((url) => HttpSession.open(url)));
  const [ofOne, ofOther] = sessions as [HttpSession, HttpSession];
  const registry = name('mcp_registry');
  assert.notEqual(one.whereis(registry), other.whereis(registry));
  assert.equal(other.whereis(name(`mcp_session:${ofOne.id}`)), undefined);
  assert.equal(one.table<string, unknown>('mcp_sessions')?.has(ofOther.id), false);

  const strayed = HttpSession.named(urls[1]!, ofOne.id);
  assert.equal((await strayed.request('tools/list').ended).status, 404);
  const held = sessions.map((session) => session.tool('hold', { key: 'same' }, { id: 'same' }));
  const calls = await Promise.all(gates.map((gate) => gate.held('same')));
  other.exitProcess(other.whereis(registry)!, 'kill');
  await ofOther.notify('notifications/cancelled', { requestId: 'same' });
  assert.equal((await held[1]!.answer()).error.code, -32600);
  assert.equal(calls[0]!.ctx.signal.aborted, false, 'the same id in the other system is another request');

  const stopped = one.stop();
  calls[0]!.release();
  assert.equal((await held[0]!.answer()).result.content[0].text, 'released same');
  await stopped;
  await assert.rejects(ofOne.request('tools/list').ended, /ECONNREFUSED|ECONNRESET|socket hang up/);
  assert.match((await ofOther.tool('echo', { text: 'x' }).answer()).result.content[0].text, /^x, said to test/);
  assert.equal(one.whereis(registry), undefined);
  assert.ok(other.whereis(registry));
  for (const { client } of [strayed, ofOne, ofOther]) client.close();
});
