/** A node under the command: on standard streams, told to stop, and with a user's module that misbehaves. */

import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { Command, demoModule, moduleFile, serverFile } from '../support/mcp-command.ts';
import { envelope, HttpClient, HttpSession } from '../support/mcp-http-client.ts';
import type { Cleanup } from '../support/test-system.ts';

const tool = (name: string, run: string, options = ''): string =>
  `${name}: mcp.tool({ description: '${name}', input: { type: 'object' }${options} }, ${run}),`;

/** Says on standard error that it runs, so that the test knows. */
const slow = tool(
  'slow',
  `(_, ctx) => new Promise((done) => {
    process.stderr.write('slow runs\\n');
    setTimeout(() => done(mcp.text('slow is done')), 300);
  })`,
);
const never = tool(
  'never',
  `() => { process.stderr.write('never runs\\n'); return new Promise(() => {}); }`,
  ', timeoutMs: 600000',
);
const quick = tool('quick', "() => mcp.text('quick')");

const textOf = ({ result, error }: any): string => result?.content[0].text ?? JSON.stringify(error);

/** Whether somebody still listens there. */
function listens(url: string): Promise<boolean> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const stdioNode = (t: Cleanup, module: string, ...args: string[]): Command =>
  new Command(t, ['serve', module, '--stdio', ...args]);

// ---- standard streams

test('with --stdio there are only messages on standard output, whatever happens', async (t) => {
  const command = stdioNode(t, demoModule, '--port', '0');
  await command.until('stderr', /Listening on http/);
  const client = command.stream();
  await client.open();
  assert.equal(textOf(await client.tool('echo', { text: 'x\ny' })), 'x\ny');
  for (const name of ['throws', 'rejects', 'throwsLater', 'floats', 'hangs', 'refuses']) await client.tool(name);
  client.send('no message');
  assert.equal((await client.find(({ id }) => id === undefined)).error.code, -32700);
  command.child.stdin.end();
  assert.deepEqual(await command.ended, { code: 0, signal: null });
  for (const line of command.stdout.trimEnd().split('\n')) assert.equal(JSON.parse(line).jsonrpc, '2.0', line);
  assert.match(command.stderr, /thrown in a timer/);
});

test('a tool that computes runs on a pool of its own, and prints nothing between the messages', async (t) => {
  const options = ", run: 'compute'";
  const sum = tool('sum', "() => { console.log('computing'); return mcp.text('42'); }", options);
  const command = stdioNode(t, serverFile(t, sum));
  const client = command.stream();
  await client.open();
  assert.equal(textOf(await client.tool('sum')), '42');
  command.child.stdin.end();
  assert.deepEqual(await command.ended, { code: 0, signal: null });
  for (const line of command.stdout.trimEnd().split('\n')) assert.equal(JSON.parse(line).jsonrpc, '2.0', line);
  assert.match(command.stderr, /computing/);
});

test('what a tool prints does not disturb the protocol', async (t) => {
  const prints = tool(
    'prints',
    "() => { console.log('debugging'); console.info('more'); return mcp.text('printed'); }",
  );
  const command = stdioNode(t, serverFile(t, prints, "console.log('the module is loaded');"));
  const client = command.stream();
  await client.open();
  assert.equal(textOf(await client.tool('prints')), 'printed');
  command.child.stdin.end();
  assert.equal((await command.ended).code, 0);
  for (const line of command.stdout.trimEnd().split('\n')) assert.equal(JSON.parse(line).jsonrpc, '2.0', line);
  for (const line of ['the module is loaded', 'debugging', 'more']) assert.ok(command.stderr.includes(line), line);
});

test('all progress of a call is on the wire before its answer', async (t) => {
  const command = stdioNode(t, demoModule);
  const client = command.stream();
  await client.open();
  await client.tool('count', { to: 3 }, 'c', { progressToken: 'p' });
  assert.deepEqual(
    client.received.slice(1).map(({ id, params }) => id ?? params.progress),
    [1, 2, 3, 'c'],
  );
  command.child.stdin.end();
  assert.equal((await command.ended).code, 0);
});

test('the end of the input ends the command with 0, after what is in flight was answered', async (t) => {
  const idle = stdioNode(t, demoModule);
  await idle.stream().open();
  idle.child.stdin.end();
  assert.deepEqual(await idle.ended, { code: 0, signal: null });

  const atOnce = stdioNode(t, demoModule);
  atOnce.child.stdin.end();
  assert.deepEqual(await atOnce.ended, { code: 0, signal: null });
  assert.equal(atOnce.stdout, '');

  const busy = stdioNode(t, serverFile(t, slow));
  const client = busy.stream();
  await client.open();
  const answers = [client.tool('slow', {}, 1), client.tool('slow', {}, 2)];
  await busy.until('stderr', /(slow runs\s+){2}/);
  busy.child.stdin.end();
  assert.deepEqual((await Promise.all(answers)).map(textOf), ['slow is done', 'slow is done']);
  assert.deepEqual(await busy.ended, { code: 0, signal: null });
});

test('a client that reads no more ends the command with 0', async (t) => {
  const command = stdioNode(t, serverFile(t, quick));
  const client = command.stream();
  await client.open();
  command.child.stdout.destroy();
  client.notify('notifications/initialized');
  client.send({ jsonrpc: '2.0', id: 5, method: 'ping' });
  assert.deepEqual(await command.ended, { code: 0, signal: null });
});

test('a restart of the transport does not end a command on standard streams', async (t) => {
  // A message that nobody understands is a crash; eleven are more than a tier takes, which restarts the tiers after it.
  const ruin = tool(
    'ruin',
    `async (_, ctx) => {
      for (let n = 0; n < 11; n++) {
        const registry = ctx.whereis('mcp_registry');
        ctx.cast(registry, 'nonsense');
        while (ctx.whereis('mcp_registry') === registry || ctx.whereis('mcp_registry') === undefined)
          if (n === 10) break; else await new Promise((next) => setImmediate(next));
      }
      return mcp.text('ruined');
    }`,
  );
  const command = stdioNode(t, serverFile(t, ruin + quick));
  const client = command.stream();
  await client.open();
  const ruined = client.tool('ruin');
  await command.until('stderr', /mcp: child_terminated registry_sup/);
  assert.ok(textOf(await ruined).length > 0, 'it is answered in some way');
  assert.equal(textOf(await client.tool('quick')), 'quick', 'its session has come along');
  command.child.stdin.end();
  assert.deepEqual(await command.ended, { code: 0, signal: null });
});

// ---- signals

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} with calls in flight: they are answered, nobody new is let in, exit code 0`, async (t) => {
    const command = new Command(t, ['serve', serverFile(t, slow), '--port', '0']);
    const url = await command.url();
    const [session, client] = [await HttpSession.open(url), new HttpClient(url)];
    const exchanges = [
      session.tool('slow', {}, { id: 'a' }),
      session.tool('slow', {}, { id: 'b' }),
      client.stateless('tools/call', { name: 'slow' }, { id: 'c' }),
    ];
    await command.until('stderr', /(slow runs\s+){3}/);
    command.child.kill(signal);
    while (await listens(url)) {
      // Each attempt is a turn; the listener goes when the stop has come to it.
    }
    const answers = await Promise.all(exchanges.map((exchange) => exchange.answer()));
    assert.deepEqual(
      answers.map((answer) => [answer.id, textOf(answer)]),
      ['a', 'b', 'c'].map((id) => [id, 'slow is done']),
    );
    assert.deepEqual(await command.ended, { code: 0, signal: null });
    for (const each of [session.client, client]) each.close();
  });

  test(`${signal} on standard streams: what is in flight is answered, exit code 0`, async (t) => {
    const command = stdioNode(t, serverFile(t, slow));
    const client = command.stream();
    await client.open();
    const answer = client.tool('slow');
    await command.until('stderr', /slow runs/);
    command.child.kill(signal);
    assert.equal(textOf(await answer), 'slow is done');
    assert.deepEqual(await command.ended, { code: 0, signal: null });
  });
}

test('a tool that never settles does not hold the stop: its caller is told, exit code 0', async (t) => {
  const command = new Command(t, ['serve', serverFile(t, never + quick), '--port', '0']);
  const session = await HttpSession.open(await command.url());
  const exchange = session.tool('never');
  await command.until('stderr', /never runs/);
  command.child.kill('SIGTERM');
  const { status, messages } = await exchange.ended;
  assert.equal(status, 503);
  assert.equal(messages[0].error.data.reason, 'unavailable');
  assert.deepEqual(await command.ended, { code: 0, signal: null });
  session.client.close();
});

test('clients that hold their connections open, idle or with half a request, do not hold the stop', async (t) => {
  const command = new Command(t, ['serve', serverFile(t, quick), '--port', '0']);
  const url = await command.url();
  const session = await HttpSession.open(url);
  const half = net.connect(Number(new URL(url).port), '127.0.0.1');
  half.resume();
  half.write('POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
  half.on('error', () => {
    // A reset is a way to be told.
  });
  assert.equal(textOf(await session.tool('quick').answer()), 'quick');
  command.child.kill('SIGTERM');
  assert.deepEqual(await command.ended, { code: 0, signal: null });
  session.client.close();
  half.destroy();
});

test('what a module leaves running does not hold the end', async (t) => {
  const leftover = "setInterval(() => {}, 1000); (await import('node:net')).createServer().listen(0);";
  const command = stdioNode(t, serverFile(t, quick, leftover));
  await command.stream().open();
  command.child.stdin.end();
  assert.deepEqual(await command.ended, { code: 0, signal: null });
});

// ---- modules that misbehave

for (const [what, code] of [
  ['throws in a timer', "setTimeout(() => { throw new Error('of the module'); }, 1);"],
  ['leaves a rejection', "setImmediate(() => void Promise.reject(new Error('of the module')));"],
  [
    'has an emitter without a listener for errors',
    `
    const { EventEmitter } = await import('node:events');
    setImmediate(() => new EventEmitter().emit('error', new Error('of the module')));`,
  ],
] as const) {
  test(`a module that ${what}, outside every tool, does not end the node: it is logged`, async (t) => {
    const command = new Command(t, ['serve', serverFile(t, quick, code), '--port', '0']);
    const client = new HttpClient(await command.url());
    await command.until('stderr', /of the module/);
    assert.match(command.stderr, /an error that belongs to no process/);
    assert.equal(textOf(await client.stateless('tools/call', { name: 'quick' }).answer()), 'quick');
    client.close();
    command.child.kill('SIGTERM');
    assert.deepEqual(await command.ended, { code: 0, signal: null });
  });
}

test('faults of tools are answered and logged by name, and sessions go on: in a program of its own', async (t) => {
  const command = new Command(t, ['serve', demoModule, '--port', '0']);
  const url = await command.url();
  const sessions = await Promise.all(Array.from({ length: 5 }, () => HttpSession.open(url)));
  const [victim, ...others] = sessions as [HttpSession, ...HttpSession[]];
  for (const [name, said] of [
    ['throws', /thrown by the tool/],
    ['rejects', /rejected by the tool/],
    ['throwsLater', /-32603.*thrown in a timer/],
    ['floats', /-32603.*a floating rejection/],
    ['hangs', /-32603.*did not finish within 500 ms/],
  ] as const) {
    assert.match(textOf(await victim.tool(name, {}, { id: name }).answer()), said);
    await command.until('stderr', new RegExp(`tools/call ${name}, request \\\\"${name}\\\\", session ${victim.id}`));
    for (const session of others) assert.equal(textOf(await session.tool('echo', { text: 'ok' }).answer()), 'ok');
  }
  for (const { client } of sessions) client.close();
  command.child.kill('SIGTERM');
  assert.deepEqual(await command.ended, { code: 0, signal: null });
});

test('whatever a tool throws, the node and its log live', async (t) => {
  const values = [
    'undefined',
    'null',
    'Symbol("s")',
    '10n',
    'Object.create(null)',
    '(() => { const cycle = {}; cycle.self = cycle; return cycle; })()',
    '(() => { let deep = []; for (let n = 0; n < 1e5; n++) deep = [deep]; return deep; })()',
    '({ toString() { throw 1; }, toJSON() { throw 2; } })',
    'Object.defineProperty(new Error("x"), "message", { get() { throw 3; } })',
    'Object.defineProperty(new Error("x"), "stack", { get() { throw 4; } })',
    'new Proxy({}, { get() { throw 5; }, ownKeys() { throw 6; }, getPrototypeOf() { throw 7; } })',
    '(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()',
  ];
  const tools = values.flatMap((value, n) => [
    tool(`now${n}`, `() => { throw ${value}; }`),
    tool(`later${n}`, `() => { setImmediate(() => { throw ${value}; }); return new Promise(() => {}); }`),
    tool(`floats${n}`, `() => { void Promise.reject(${value}); return new Promise(() => {}); }`),
  ]);
  const command = new Command(t, ['serve', serverFile(t, tools.join('\n') + quick), '--port', '0']);
  const session = await HttpSession.open(await command.url());
  for (const n of values.keys()) {
    for (const kind of ['now', 'later', 'floats']) {
      const answer = await session.tool(`${kind}${n}`).answer();
      assert.ok(answer.error?.code === -32603 || answer.result?.isError === true, JSON.stringify(answer));
      await command.until('stderr', new RegExp(`tools/call ${kind}${n}, `));
    }
  }
  assert.equal(textOf(await session.tool('quick').answer()), 'quick');
  session.client.close();
  command.child.kill('SIGTERM');
  assert.deepEqual(await command.ended, { code: 0, signal: null });
});

// Not every Node.js tells whose microtask threw.
test('a tool that throws in a microtask is answered, at the latest at its deadline', async (t) => {
  const micro = tool(
    'micro',
    "() => { queueMicrotask(() => { throw new Error('in a microtask'); }); return new Promise(() => {}); }",
    ', timeoutMs: 200',
  );
  const command = new Command(t, ['serve', serverFile(t, micro + quick), '--port', '0']);
  const client = new HttpClient(await command.url());
  const call = (name: string): Promise<any> => client.stateless('tools/call', { name }).answer();
  // The thread has imported the module then: its time must not be over before the tool begins.
  assert.equal(textOf(await call('quick')), 'quick');
  assert.equal((await call('micro')).error.code, -32603);
  await command.until('stderr', /in a microtask/);
  assert.equal(textOf(await call('quick')), 'quick');
  client.close();
  command.child.kill('SIGTERM');
  assert.deepEqual(await command.ended, { code: 0, signal: null });
});

test('a node that crashes on and on gives up, says so and names the culprit; exit code 1', async (t) => {
  // A message that nobody understands is a crash of the registry.
  const crash = tool('crash', "(_, ctx) => { ctx.cast('mcp_registry', 'nonsense'); return mcp.text('sent'); }");
  const command = new Command(t, ['serve', serverFile(t, crash), '--port', '0']);
  const client = new HttpClient(await command.url());
  let over = false;
  const ended = command.ended.finally(() => {
    over = true;
  });
  while (!over) {
    const call = client.stateless('tools/call', { name: 'crash' });
    await Promise.race([call.ended.catch(() => 'cut off, or nobody listens just now'), ended]);
  }
  client.close();
  assert.deepEqual(await ended, { code: 1, signal: null });
  assert.match(command.stderr, /^beamish: the root supervisor gave up: too many restarts/m);
  assert.match(command.stderr, /registry_sup: shutdown registry: /);
});

test('both carriers at once: the end of the input stops HTTP as well', async (t) => {
  const command = stdioNode(
    t,
    moduleFile(t, `export { default } from ${JSON.stringify(`file://${demoModule}`)};`),
    '--port',
    '0',
  );
  const url = (await command.until('stderr', /Listening on (http\S+)/))[1]!;
  const [stream, http] = [command.stream(), new HttpClient(url)];
  const params = { name: 'echo', arguments: { text: 'over HTTP' } };
  assert.equal(textOf(await http.stateless('tools/call', params).answer()), 'over HTTP');
  const answer = await stream.tool('echo', { text: 'on a stream' }, 1, envelope());
  assert.equal(textOf(answer), 'on a stream');
  http.close();
  command.child.stdin.end();
  assert.deepEqual(await command.ended, { code: 0, signal: null });
  assert.equal(await listens(url), false);
});
