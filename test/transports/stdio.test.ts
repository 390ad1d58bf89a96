import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ExitReason, type System, startSystem } from '../../runtime/index.ts';
import { type StdioOptions, stdio } from '../../transports/stdio.ts';
import { type ContractClient, transportContract } from '../transport-contract.ts';
import { Observer } from './probe-endpoint.ts';

/** The client's end of a pair of streams. */
function contractClient(input: PassThrough, output: PassThrough): ContractClient {
  const waiting = new Map<number, { readonly got: any[]; readonly done: (all: any[]) => void }>();
  const closed = Promise.race([once(output, 'end'), once(output, 'close')]);
  let reading = false;
  const read = (): void => {
    if (reading) return;
    reading = true;
    createInterface({ input: output }).on('line', (line) => {
      const message = JSON.parse(line);
      const request = waiting.get(message.id ?? message.params?.of);
      request?.got.push(message);
      if (message.id !== undefined) request?.done(request.got);
    });
  };
  const write = (message: object): void => void input.write(`${JSON.stringify(message)}\n`);
  return {
    request(message) {
      read();
      return new Promise((done) => {
        waiting.set(message.id, { got: [], done });
        write(message);
      });
    },
    async notify(message) {
      write(message);
    },
    requestUnread: write,
    leave: () => void output.destroy(),
    closed,
  };
}

transportContract({
  name: 'stdio',
  many: false,
  create(limits) {
    const [input, output] = [new PassThrough(), new PassThrough()];
    return { transport: stdio({ input, output, ...limits }), connect: async () => contractClient(input, output) };
  },
});

interface Pair {
  readonly input: PassThrough;
  readonly output: PassThrough;
  readonly observer: Observer;
  readonly system: System;
  readonly closed: Promise<ExitReason>;
  /** The next message of the server. */
  next(): Promise<any>;
}

async function withPair(options: StdioOptions, body: (pair: Pair) => Promise<void>): Promise<void> {
  const [input, output, observer] = [new PassThrough(), new PassThrough(), new Observer()];
  let onClose: (reason: ExitReason) => void = () => {};
  const closed = new Promise<ExitReason>((resolve) => {
    onClose = resolve;
  });
  const lines = createInterface({ input: output })[Symbol.asyncIterator]();
  const system = await startSystem({
    children: [stdio({ input, output, onClose, ...options }).childSpec(observer.spec)],
  });
  try {
    const next = async (): Promise<any> => JSON.parse((await lines.next()).value as string);
    await body({ input, output, observer, system, closed, next });
  } finally {
    await system.stop();
  }
}

test('CRLF, blank lines and a last line without end are read', () =>
  withPair({}, async ({ input, next, closed }) => {
    input.write('\r\n\n{"id":1,"method":"echo","params":1}\r\n   \n');
    input.end('{"id":2,"method":"echo","params":2}');
    assert.equal((await next()).result, 1);
    assert.equal((await next()).result, 2);
    assert.equal(await closed, 'normal');
  }));

test('a line that is too long, or not UTF-8, is answered as a parse error, and the stream goes on', () =>
  withPair({ messageBytesMax: 100 }, async ({ input, next }) => {
    input.write(`{"id":1,"method":"echo","params":"${'x'.repeat(1_000_000)}"}\n`);
    assert.deepEqual((await next()).error, {
      code: -32_700,
      message: 'parse error',
      data: { fault: 'message_too_long' },
    });
    input.write(Buffer.from([0x22, 0xc3, 0x22, 0x0a]));
    assert.equal((await next()).error.data.fault, 'invalid_utf8');
    input.write('{"truncated\n{"id":2,"method":"echo","params":"ok"}\n');
    assert.equal((await next()).error.code, -32_700);
    assert.equal((await next()).result, 'ok');
  }));

test('the end of the input finishes what is in flight, then the connection ends normal', () =>
  withPair({}, async ({ input, observer, system, next, closed }) => {
    input.end('{"id":1,"method":"hold"}\n');
    const { connection, inbound } = await observer.inbound('hold');
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result: 'late' }, end: true });
    assert.equal((await next()).result, 'late');
    assert.equal(await closed, 'normal');
    assert.equal(
      observer.seen.some(({ event }) => event === 'abort'),
      false,
    );
  }));

test('an input that fails, or closes without end, ends the connection normal', async () => {
  for (const error of [new Error('broken pipe'), undefined]) {
    await withPair({}, async ({ input, closed }) => {
      input.destroy(error);
      assert.equal(await closed, 'normal');
    });
  }
});

test('an input that had ended before the start ends the connection', async () => {
  const input = new PassThrough();
  input.end();
  input.resume();
  await once(input, 'end');
  await withPair({ input }, async ({ closed }) => {
    assert.equal(await closed, 'normal');
  });
});

test('messages of no exchange are lines too', () =>
  withPair({}, async ({ input, next }) => {
    input.write('{"id":1,"method":"push","params":"news"}\n');
    assert.deepEqual(await next(), { method: 'pushed', params: 'news' });
    assert.equal((await next()).result, 'ok');
  }));

test('with all exchanges open the input is not read on', () =>
  withPair({ openExchangesMax: 2, drainTimeoutMs: 20 }, async ({ input, observer, system, next }) => {
    input.write([1, 2, 3, 4].map((id) => `{"id":${id},"method":"hold${id}"}\n`).join(''));
    const { connection, inbound } = await observer.inbound('hold2');
    assert.equal(observer.seen.filter(({ event }) => event === 'inbound').length, 2);
    const { exchange } = inbound;
    system.cast(connection, 'send', { exchange, message: { id: 2, result: 'room' }, end: true });
    assert.equal((await next()).id, 2);
    await observer.inbound('hold3');
    assert.equal(
      observer.seen.some((seen) => seen.event === 'inbound' && seen.message?.method === 'hold4'),
      false,
    );
  }));

test('while the output is not taken the input is not read, and nothing is lost', async () => {
  const [input, output, observer] = [new PassThrough(), new PassThrough(), new Observer()];
  const transport = stdio({ input, output, openExchangesMax: 8, queuedBytesMax: 2_000_000 });
  const system = await startSystem({ children: [transport.childSpec(observer.spec)] });
  const count = 500;
  const params = 'x'.repeat(16_384);
  for (let id = 1; id <= count; id++) input.write(`${JSON.stringify({ id, method: 'echo', params })}\n`);
  await observer.wait('inbound');
  while (!output.writableNeedDrain) await new Promise((resolve) => setImmediate(resolve));
  const read = observer.seen.length;
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(observer.seen.length <= read + 8 && read + 8 < count, `${observer.seen.length} of ${count} were read`);
  let id = 0;
  for await (const line of createInterface({ input: output })) {
    assert.equal(JSON.parse(line).id, ++id);
    if (id === count) break;
  }
  await system.stop();
});

test('answers of one turn go out in one write', () =>
  withPair({}, async ({ input, output, next }) => {
    const writes: string[] = [];
    const write = output.write.bind(output);
    output.write = ((text: string) => {
      writes.push(text);
      return write(text);
    }) as typeof output.write;
    input.write('{"id":1,"method":"echo"}\n{"id":2,"method":"echo"}\n{"id":3,"method":"echo"}\n');
    for (const id of [1, 2, 3]) assert.equal((await next()).id, id);
    assert.equal(writes.length, 1);
  }));

test('a connection that failed is not restarted, and its streams are closed', () =>
  withPair({}, async ({ input, output, system, closed }) => {
    input.write('{"id":1,"method":"fall"}\n');
    assert.match(JSON.stringify(await closed), /the endpoint fell/);
    assert.equal(system.whereis('stdio_connection' as never), undefined);
    assert.equal(input.destroyed, true);
    assert.equal(output.writableEnded, true);
  }));

test('a message without id that cannot be serialised costs the connection', () =>
  withPair({}, async ({ input, closed }) => {
    input.write('{"id":1,"method":"bigint-notification"}\n');
    assert.match(JSON.stringify(await closed), /BigInt/);
  }));

test('onClose says shutdown when a supervisor stopped the connection', () =>
  withPair({}, async ({ system, closed }) => {
    await system.stop();
    assert.equal(await closed, 'shutdown');
  }));

// ---- the program's own streams

function startChild() {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./stdio-child.js', import.meta.url))]);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  child.stdin.on('error', () => {}); // the child may be gone before it has read all
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
  return { child, exited };
}

test('a program that serves its standard streams ends with its input, and writes only messages', async () => {
  const { child, exited } = startChild();
  child.stdin.end('{"id":1,"method":"echo","params":"a"}\n{"id":2,"method":"wait"}\n{"id":3,"method":"bigint"}\n');
  const { code, stdout, stderr } = await exited;
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ id }) => id).sort(), [1, 2, 3]);
  assert.equal(stderr, 'started\nclosed "normal"\nstopped, 0 aborted\n');
  assert.equal(code, 0);
});

test('a large answer is flushed before the program ends', async () => {
  const { child, exited } = startChild();
  const params = 'x'.repeat(3_000_000);
  child.stdin.end(`${JSON.stringify({ id: 1, method: 'echo', params })}\n`);
  const { code, stdout } = await exited;
  assert.equal(JSON.parse(stdout).result, params);
  assert.equal(code, 0);
});

test('a client that closes the output ends the program in order (EPIPE)', async () => {
  const { child, exited } = startChild();
  child.stdin.write('{"id":1,"method":"hold"}\n');
  await once(child.stderr, 'data');
  child.stdout.destroy();
  child.stdin.write('{"id":2,"method":"flood","params":{"count":100,"bytes":10000}}\n');
  const { code, stderr } = await exited;
  assert.equal(stderr, 'started\nclosed "normal"\nstopped, 2 aborted\n');
  assert.equal(code, 0);
});

test('a connection that is started anew with its supervisor finds the line that was half read', async () => {
  const { child, exited } = startChild();
  child.stdin.write('{"id":1,"method":"echo","params":"before"}\n{"id":2,"method":"ec');
  await once(child.stdout, 'data');
  child.kill('SIGUSR2');
  while (!String(await once(child.stderr, 'data')).includes('closed "shutdown"'));
  child.stdin.end('ho","params":"after"}\n');
  const { code, stdout, stderr } = await exited;
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).result),
    ['before', 'after'],
  );
  assert.match(stderr, /closed "shutdown"\nclosed "normal"\nstopped, 0 aborted\n$/);
  assert.equal(code, 0);
});
