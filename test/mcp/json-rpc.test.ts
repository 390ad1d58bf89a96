import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { INVALID_REQUEST, PARSE_ERROR } from '../../mcp/errors.ts';
import {
  errorMessage,
  type InvalidMessage,
  type Message,
  notificationMessage,
  parseMessage,
  resultMessage,
} from '../../mcp/json-rpc.ts';
import { MCP_LIMITS } from '../../mcp/limits.ts';

function invalidOf(text: string): InvalidMessage {
  const message = parseMessage(text);
  assert.equal(message.kind, 'invalid', text);
  return message as InvalidMessage;
}

test('a request, a notification, a result and an error are told apart', () => {
  assert.deepEqual(parseMessage('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1}}'), {
    kind: 'request',
    id: 1,
    method: 'ping',
    params: { a: 1 },
  });
  assert.deepEqual(parseMessage('{"jsonrpc":"2.0","id":"","method":""}'), {
    kind: 'request',
    id: '',
    method: '',
    params: undefined,
  });
  assert.deepEqual(parseMessage('{"jsonrpc":"2.0","method":"n","params":[1]}'), {
    kind: 'notification',
    method: 'n',
    params: [1],
  });
  assert.deepEqual(parseMessage('{"jsonrpc":"2.0","id":-7,"result":null}'), {
    kind: 'response',
    id: -7,
    outcome: { result: null },
  });
  assert.deepEqual(parseMessage('{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"m","data":[]}}'), {
    kind: 'response',
    id: undefined,
    outcome: { error: { code: -1, message: 'm', data: [] } },
  });
});

test('text that is not JSON is -32700 without an id, and the text is not repeated', () => {
  for (const text of ['', ' ', '{', '{"jsonrpc":"2.0","id":1,"method":"x"', 'undefined', "{'a':1}", '{"secret":tru}']) {
    const { id, error } = invalidOf(text);
    assert.equal(id, undefined);
    assert.equal(error.code, PARSE_ERROR);
    assert.doesNotMatch(error.message, /secret/);
  }
});

test('JSON that is no message is -32600 with the id, if one can be read', () => {
  const cases: readonly [string, string | number | undefined][] = [
    ['42', undefined],
    ['null', undefined],
    ['"text"', undefined],
    ['[]', undefined],
    ['{}', undefined],
    ['{"id":3}', 3],
    ['{"id":3,"method":"x"}', 3],
    ['{"jsonrpc":"1.0","id":3,"method":"x"}', 3],
    ['{"jsonrpc":2.0,"id":"a","method":"x"}', 'a'],
    ['{"jsonrpc":"2.0","id":3,"method":5}', 3],
    ['{"jsonrpc":"2.0","id":3,"method":null}', 3],
    ['{"jsonrpc":"2.0","id":{},"method":"x"}', undefined],
    ['{"jsonrpc":"2.0","id":[1],"method":"x"}', undefined],
    ['{"jsonrpc":"2.0","id":true,"method":"x"}', undefined],
    ['{"jsonrpc":"2.0","id":null,"method":"x"}', undefined],
    ['{"jsonrpc":"2.0","id":1.5,"method":"x"}', undefined],
    ['{"jsonrpc":"2.0","id":9007199254740993,"method":"x"}', undefined],
    ['{"jsonrpc":"2.0","id":1e400,"method":"x"}', undefined],
    [`{"jsonrpc":"2.0","id":"${'x'.repeat(MCP_LIMITS.requestIdLengthMax + 1)}","method":"x"}`, undefined],
    ['{"jsonrpc":"2.0","id":3,"method":"x","params":null}', 3],
    ['{"jsonrpc":"2.0","id":3,"method":"x","params":"a"}', 3],
    ['{"jsonrpc":"2.0","method":"x","params":1}', undefined],
    ['{"jsonrpc":"2.0","id":3,"method":"x","result":{}}', 3],
    ['{"jsonrpc":"2.0","id":3,"result":{},"error":{"code":1,"message":""}}', 3],
    ['{"jsonrpc":"2.0","result":{}}', undefined],
    ['{"jsonrpc":"2.0","id":3,"error":{"code":1.5,"message":""}}', 3],
    ['{"jsonrpc":"2.0","id":3,"error":"no"}', 3],
    ['{"jsonrpc":"2.0","id":{},"error":{"code":1,"message":""}}', undefined],
  ];
  for (const [text, id] of cases) {
    const invalid = invalidOf(text);
    assert.equal(invalid.error.code, INVALID_REQUEST, text);
    assert.equal(invalid.id, id, text);
  }
});

test('an own __proto__ is a key like any other', () => {
  const message = parseMessage('{"__proto__":{"method":"stolen"},"jsonrpc":"2.0","id":1}');
  assert.equal(message.kind, 'invalid');
  const request = parseMessage('{"jsonrpc":"2.0","id":1,"method":"x","params":{"__proto__":{"polluted":true}}}');
  assert.equal(request.kind, 'request');
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('a document nested too deeply is an error with its id, which can be written', () => {
  for (const depth of [MCP_LIMITS.messageDepthMax, 100_000, 1_000_000]) {
    const deep = '['.repeat(depth) + ']'.repeat(depth);
    const { id, error } = invalidOf(`{"jsonrpc":"2.0","id":"deep","method":"tools/call","params":${deep}}`);
    assert.equal(id, 'deep');
    assert.equal(error.code, INVALID_REQUEST);
    assert.match(error.message, /more than 128 arrays and objects inside each other/);
    assert.ok(JSON.stringify(errorMessage(id, error)).length < 200);
  }
  assert.equal(invalidOf('['.repeat(100_000)).error.code, PARSE_ERROR);
});

test('a document that has many openings but is shallow is accepted, as is one of exactly the depth that may be', () => {
  const wide = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'm', params: { list: new Array(5_000).fill({}) } });
  assert.equal(parseMessage(wide).kind, 'request');
  const braces = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'm', params: { text: '{[{['.repeat(500) } });
  assert.equal(parseMessage(braces).kind, 'request');
  const below = MCP_LIMITS.messageDepthMax - 1;
  const exact = `{"jsonrpc":"2.0","id":1,"method":"m","params":${'['.repeat(below)}${']'.repeat(below)}}`;
  assert.equal(parseMessage(exact).kind, 'request');
});

test('a batch keeps its order and its invalid members, and has 1 to batchMax of them', () => {
  const batch = parseMessage('[{"jsonrpc":"2.0","id":1,"method":"a"},7,{"jsonrpc":"2.0","method":"b"},[]]');
  assert.equal(batch.kind, 'batch');
  assert.deepEqual(
    (batch as Extract<Message, { kind: 'batch' }>).messages.map(({ kind }) => kind),
    ['request', 'invalid', 'notification', 'invalid'],
  );
  const of = (count: number): string => `[${new Array(count).fill('{"jsonrpc":"2.0","method":"a"}').join()}]`;
  assert.equal(parseMessage(of(MCP_LIMITS.batchMax)).kind, 'batch');
  assert.match(invalidOf(of(MCP_LIMITS.batchMax + 1)).error.message, /at most 100 messages, this one has 101/);
  assert.match(invalidOf('[]').error.message, /at least one/);
});

const json = fc.jsonValue({ maxDepth: 6 });
const ids = fc.oneof(fc.string({ maxLength: 200 }), fc.maxSafeInteger());

test('property: every request that is written is read back', () => {
  fc.assert(
    fc.property(
      ids,
      fc.string(),
      fc.option(fc.dictionary(fc.string(), json), { nil: undefined }),
      (id, method, params) => {
        const text = JSON.stringify({ jsonrpc: '2.0', id, method, params });
        const message = parseMessage(text);
        assert.deepEqual(message, { kind: 'request', id, method, params: JSON.parse(text).params });
      },
    ),
  );
});

test('property: no text makes the parser throw, and what is invalid can be answered', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '1',
    'null',
    '"id"',
    '"jsonrpc":"2.0"',
    '"method"',
    '\\',
    '__proto__',
  );
  const texts = fc.oneof(
    fc.string(),
    json.map((value) => JSON.stringify(value)),
    fc.array(pieces).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const message = parseMessage(text);
      if (message.kind !== 'invalid') return;
      const answer = JSON.parse(JSON.stringify(errorMessage(message.id, message.error)));
      assert.equal(answer.jsonrpc, '2.0');
      assert.ok(Number.isInteger(answer.error.code) && answer.error.message.length > 0);
    }),
    { numRuns: 1_000 },
  );
});

test('property: any JSON value as one member leaves a message valid or names an error, never both', () => {
  const member = fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'result', 'error');
  fc.assert(
    fc.property(member, json, (name, value) => {
      const message = parseMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'm', [name]: value }));
      const expected =
        (name === 'jsonrpc' && value === '2.0') ||
        (name === 'id' && (typeof value === 'string' || Number.isSafeInteger(value))) ||
        (name === 'method' && typeof value === 'string') ||
        (name === 'params' && typeof value === 'object' && value !== null);
      assert.equal(message.kind, expected ? 'request' : 'invalid');
    }),
    { numRuns: 1_000 },
  );
});

test('answers have the shape of JSON-RPC', () => {
  assert.deepEqual(resultMessage('a', { x: 1 }), { jsonrpc: '2.0', id: 'a', result: { x: 1 } });
  assert.deepEqual(errorMessage(undefined, { code: -1, message: 'm' }), {
    jsonrpc: '2.0',
    error: { code: -1, message: 'm' },
  });
  assert.deepEqual(notificationMessage('n'), { jsonrpc: '2.0', method: 'n' });
  assert.deepEqual(notificationMessage('n', { a: 1 }), { jsonrpc: '2.0', method: 'n', params: { a: 1 } });
});
