/** What a tool returns, throws or reports may be anything: it costs that call at most, never the connection. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpError, mcpServer, type Tool, type ToolContext, text, tool } from '../../../mcp/index.ts';
import { startNode, withoutRunner } from '../../support/mcp-node.ts';
import { Gate, testServer } from '../../support/mcp-tools.ts';
import { ways } from '../../support/mcp-ways.ts';

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n++) value = [value];
  return value;
}

const mine = (): never => {
  throw new Error('a trap');
};

/** Values that break whoever looks at them without care. */
const hostile: Record<string, () => unknown> = {
  nothing: () => undefined,
  null: () => null,
  'a symbol': () => Symbol('s'),
  'a bigint': () => 10n,
  'a function': () => () => 1,
  'an object without a prototype': () => Object.create(null),
  'a cycle': () => cyclic,
  'a deep array': () => nested(100_000),
  'a getter that throws': () => Object.defineProperty({}, 'message', { get: mine, enumerable: true }),
  'a toString that throws': () => ({ toString: mine }),
  'a toJSON that throws': () => ({ toJSON: mine }),
  'a proxy that throws': () =>
    new Proxy({}, { get: mine, has: mine, ownKeys: mine, getPrototypeOf: mine, getOwnPropertyDescriptor: mine }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'an error with a getter that throws': () => Object.defineProperty(new Error('x'), 'message', { get: mine }),
  'an error whose message is no text': () => Object.assign(new Error('x'), { message: 10n }),
  'an error that is its own cause': () => {
    const error = new Error('round');
    error.cause = error;
    return error;
  },
  'an error with a stack that throws': () => Object.defineProperty(new Error('x'), 'stack', { get: mine }),
};

type Run = (value: unknown, ctx: ToolContext) => any;

/** Where a tool may let such a value out. */
const places: Record<string, Run> = {
  'returned as the result': (value) => value,
  'resolved as the result': async (value) => value,
  'returned as content': (value) => ({ content: value }),
  'returned as a block': (value) => ({ content: [value] }),
  'returned as a text': (value) => ({ content: [{ type: 'text', text: value }] }),
  'returned as structured content': (value) => ({ content: [], structuredContent: { value } }),
  'returned as _meta': (value) => ({ content: [], _meta: { value } }),
  'returned in an annotation': (value) => ({ content: [{ type: 'text', text: 'x', annotations: { value } }] }),
  thrown: (value) => {
    throw value;
  },
  rejected: (value) => Promise.reject(value),
  'thrown in a callback': (value) => {
    setImmediate(() => {
      throw value;
    });
    return new Promise(() => {});
  },
  'left as a rejection': (value) => {
    void Promise.reject(value);
    return new Promise(() => {});
  },
  'thrown as the data of an McpError': (value) => {
    throw new McpError(-31_000, 'with data', value);
  },
  'reported as the message of progress': (value, ctx) => {
    ctx.progress(1, 2, value as string);
    return text('reported');
  },
  'reported as progress': (value, ctx) => {
    ctx.progress(value as number, value as number);
    return text('reported');
  },
};

const HOSTILE_TIMEOUT_MS = 600_000;

function hostileServer(gate: Gate): ReturnType<typeof mcpServer> {
  const input = {
    type: 'object',
    properties: { value: { type: 'string' } },
    required: ['value'],
  } as const;
  const tools: Record<string, Tool> = {};
  for (const [n, run] of Object.values(places).entries()) {
    tools[`place-${n}`] = tool({ description: 'Hostile.', input, timeoutMs: HOSTILE_TIMEOUT_MS }, ({ value }, ctx) =>
      run(hostile[value]!(), ctx),
    );
  }
  tools['hold'] = tool(
    { description: 'Holds.', input: { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] } },
    async ({ key }, ctx) => text(await gate.enter(key, ctx)),
  );
  return mcpServer('hostile', { info: { name: 'hostile', version: '1' }, tools });
}

/** What a client can work with: an error, or a result that fits the schema of the protocol. */
function wellFormed(message: any, said: string): void {
  assert.equal(message.jsonrpc, '2.0', said);
  if (message.error !== undefined) {
    assert.ok(Number.isSafeInteger(message.error.code), said);
    assert.equal(typeof message.error.message, 'string', said);
    return;
  }
  assert.ok(Array.isArray(message.result?.content), said);
  for (const block of message.result.content) {
    assert.equal(typeof block.type, 'string', said);
    if (block.type === 'text') assert.equal(typeof block.text, 'string', said);
  }
}

for (const way of ways) {
  for (const [n, place] of Object.keys(places).entries()) {
    test(`hostile values ${place} cost their call at most: ${way.name}`, async (t) => {
      withoutRunner(t);
      const gate = new Gate();
      const node = await startNode(t, { servers: [hostileServer(gate)] });
      const caller = await way.open(node);
      const connection = caller.call('hold', { key: 'beside' }, { id: 'beside' });
      const beside = await gate.held('beside');
      for (const value of Object.keys(hostile)) {
        const { answer } = caller.call(`place-${n}`, { value }, { id: value, progressToken: value });
        const message = await answer.catch((error: unknown) => assert.fail(`${value}: ${String(error)}`));
        assert.equal(message.id, value, `${value}: ${JSON.stringify(message)}`);
        wellFormed(message, `${value}: ${JSON.stringify(message)}`);
        if (place.startsWith('reported')) assert.equal(message.result?.content[0].text, 'reported');
      }
      beside.release();
      assert.equal((await connection.answer).result.content[0].text, 'released beside');
      caller.leave();
    });
  }
}

test('a tool may return what can be awaited, whatever made it', async (t) => {
  const then = (done: (value: unknown) => void): void => done(text('awaited'));
  const thenable = Object.fromEntries([['then', then]]);
  const server = mcpServer('s', {
    info: { name: 's', version: '1' },
    tools: { query: tool({ description: 'A query.', input: { type: 'object' } }, () => thenable as never) },
  });
  const node = await startNode(t, { servers: [server] });
  const caller = await ways[0]!.open(node);
  const answer = await caller.call('query').answer;
  assert.equal(answer.result?.content[0].text, 'awaited', JSON.stringify(answer));
});

test('arguments called like what every object has are arguments, and change nothing', async (t) => {
  const node = await startNode(t, { servers: [testServer(new Gate())] });
  for (const way of ways) {
    const caller = await way.open(node);
    const args = JSON.parse('{"text":"x","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    const answer = await caller.call('echo', args, { id: '__proto__' }).answer;
    assert.match(answer.result.content[0].text, /^x, said/);
    assert.equal((Object.prototype as { polluted?: unknown }).polluted, undefined);
    caller.leave();
  }
});
