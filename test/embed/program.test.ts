/** A program that embeds the packages ends by itself, and is not ended by them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endedByItself, runProgram } from '../support/mcp-program.ts';

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
    await printLeftovers();`,
  );
  endedByItself(end);
  assert.match(end.output, /^answer 42$/m);
});

test('so does one that serves MCP over HTTP and in memory, with calls and a crash behind it', async (t) => {
  const end = await runProgram(
    t,
    `import { request } from 'node:http';
    const system = await startNode([http.streamableHttp({ port: 0 }), memory.memory()]);
    const { url } = await system.call(http.listenerName('http'), 'address');
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'double',
    };
    const answer = await new Promise((resolve) => {
      const sent = request(url, { method: 'POST', headers, agent: false }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve(JSON.parse(text));
      });
      sent.end(JSON.stringify(callOf('double', { n: 21 })));
    });
    console.log('over HTTP', answer.result.content[0].text);
    const client = await memory.connectMemory(system);
    client.send(callOf('double', { n: 4 }));
    console.log('in memory', (await client.messages.next()).value.result.content[0].text);
    system.exitProcess(system.whereis('mcp_session_manager'), 'kill');
    await system.stop();
    await printLeftovers();`,
  );
  endedByItself(end);
  assert.match(end.output, /^over HTTP 42\nin memory 8$/m);
});

test('a system that could not start leaves nothing behind either', async (t) => {
  const end = await runProgram(
    t,
    `import { createServer } from 'node:net';
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const transports = [memory.memory(), http.streamableHttp({ port: other.address().port })];
    const reason = await startNode(transports).catch((error) => error);
    console.log(reason.name, JSON.stringify(reason.reason));
    await new Promise((resolve) => other.close(resolve));
    await printLeftovers();`,
  );
  endedByItself(end);
  assert.match(end.output, /^StartError .*EADDRINUSE/m);
});

test('several systems started and stopped one after the other, and at once, end as well', async (t) => {
  const end = await runProgram(
    t,
    `const start = () => startNode([http.streamableHttp({ port: 0 })]);
    for (let n = 0; n < 3; n++) await (await start()).stop();
    const systems = await Promise.all([start(), start(), start()]);
    await Promise.all(systems.map((system) => system.stop()));
    await printLeftovers();`,
  );
  endedByItself(end);
});

test('signals belong to the program: it dies of them, unless the system was asked to stop at them', async (t) => {
  const program = (options: string): string => `
    const system = await startNode([memory.memory()], ${options});
    process.kill(process.pid, 'SIGTERM');
    await system.terminated;
    console.log('stopped', system.stopRequested);
    await printLeftovers();`;
  const own = await runProgram(t, program('{}'));
  assert.deepEqual([own.code, own.signal], [null, 'SIGTERM']);
  const orderly = await runProgram(t, program("{ signals: ['SIGTERM'] }"));
  endedByItself(orderly);
  assert.match(orderly.output, /^stopped true$/m);
});

test('what tools leave behind is theirs: the program listens for no errors, lives, and ends in order', async (t) => {
  const end = await runProgram(
    t,
    `import { subscribe } from 'node:diagnostics_channel';
    const crashes = [];
    let crashed = () => {};
    subscribe(beamish.channels.crashReport, ({ label, late }) => {
      crashes.push(label + (late === true ? ', late' : ''));
      crashed();
    });
    const system = await startNode([memory.memory()]);
    const client = await memory.connectMemory(system);
    // The last of them counts twice: the deadline, and what its abort listener throws then.
    for (const [name, reports] of [['timer', 1], ['floats', 2], ['late', 3], ['aborts', 5]]) {
      const reported = new Promise((resolve) => { crashed = () => crashes.length === reports && resolve(); });
      client.send(callOf(name));
      const { id, error, result } = (await client.messages.next()).value;
      console.log(id, error?.message ?? result.content[0].text);
      await reported;
    }
    console.log(JSON.stringify(crashes));
    await system.stop();
    await printLeftovers();`,
  );
  endedByItself(end);
  assert.match(end.output, /^timer tool "timer" failed: .*in a timer$/m);
  assert.match(end.output, /^floats tool "floats" failed: .*floating$/m);
  assert.match(end.output, /^late in time$/m);
  assert.match(end.output, /^aborts tool "aborts" did not finish within 50 ms$/m);
  const labels = ['timer', 'floats', 'late', 'aborts', 'aborts'].map((tool) => `tools/call ${tool}, request "${tool}"`);
  const late = [false, false, true, false, true];
  const expected = labels.map((label, n) => (late[n] === true ? `${label}, late` : label));
  assert.ok(end.output.includes(JSON.stringify(expected)), end.output);
});

test('an abort listener that throws when the system stops does not end the program', async (t) => {
  const end = await runProgram(
    t,
    `import { subscribe } from 'node:diagnostics_channel';
    const system = await startNode([memory.memory({ drainTimeoutMs: 1 })]);
    const client = await memory.connectMemory(system);
    const running = new Promise((resolve) => {
      subscribe(beamish.channels.processStart, ({ initialCall }) => initialCall.endsWith('#Request') && resolve());
    });
    client.send(callOf('aborts'));
    await running;
    await new Promise((next) => setImmediate(next));
    await system.stop();
    await printLeftovers();`,
  );
  endedByItself(end);
});

test('an uncaught error of the program itself ends it as ever, though a system runs', async (t) => {
  const end = await runProgram(
    t,
    `await startNode([memory.memory()]);
    setImmediate(() => { throw new Error('of the program'); });`,
  );
  assert.equal(end.code, 1);
  assert.match(end.output, /Error: of the program\n +at .*program\.mjs/);
});
