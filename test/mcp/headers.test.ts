import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HEADER_MISMATCH, INVALID_REQUEST } from '../../mcp/errors.ts';
import { decodeHeader, sessionIdOf, standardHeadersProblem } from '../../mcp/headers.ts';
import type { RequestMessage } from '../../mcp/json-rpc.ts';
import { MCP_LIMITS } from '../../mcp/limits.ts';
import { revision20260728 } from '../../mcp/revision/2026-07-28.ts';

const encoded = (value: string): string => `=?base64?${Buffer.from(value).toString('base64')}?=`;

test('a header value is plain or base64 between the marks', () => {
  const cases: readonly [string, string | undefined][] = [
    ['us-west1', 'us-west1'],
    ['  padded\t', 'padded'],
    ['', ''],
    ['a b', 'a b'],
    ['=?base64?SGVsbG8sIOS4lueVjA==?=', 'Hello, 世界'],
    ['=?base64?IHBhZGRlZCA=?=', ' padded '],
    ['=?base64?bGluZTEKbGluZTI=?=', 'line1\nline2'],
    ['=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=', '=?base64?literal?='],
    ['=?base64??=', ''],
    ['=?base64?SGVsbG8', '=?base64?SGVsbG8'],
    ['SGVsbG8=?=', 'SGVsbG8=?='],
    ['=?BASE64?SGVsbG8=?=', '=?BASE64?SGVsbG8=?='],
    ['=?base64?=', '=?base64?='],
    ['=?base64?SGVsbG8?=', undefined],
    ['=?base64?SGVs!!!bG8=?=', undefined],
    ['=?base64?SGVsbG9=?=', undefined],
    ['=?base64?SGVs bG8=?=', undefined],
    ['=?base64?_-__?=', undefined],
    ['=?base64?/w==?=', undefined],
    ['caf\u00e9', undefined],
    ['a\u0000b', undefined],
    ['a\nb', undefined],
  ];
  for (const [raw, value] of cases) assert.equal(decodeHeader(raw), value, raw);
});

test('property: what is encoded is decoded to the same text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      assert.equal(decodeHeader(encoded(value)), value);
    }),
  );
});

test('the standard headers must be there and say what the body says', () => {
  const request: RequestMessage = { kind: 'request', id: 1, method: 'tools/call', params: { name: 'añadir' } };
  const good = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': ' tools/call ',
    'mcp-name': encoded('añadir'),
  };
  const problem = (changes: Record<string, string | undefined>, message = request): string | undefined => {
    const headers = Object.fromEntries(
      Object.entries({ ...good, ...changes }).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const error = standardHeadersProblem(headers, message, revision20260728);
    if (error !== undefined) assert.equal(error.code, HEADER_MISMATCH);
    return error?.message;
  };
  assert.equal(problem({}), undefined);
  assert.match(problem({ 'mcp-protocol-version': undefined }) ?? '', /MCP-Protocol-Version header is missing/);
  assert.match(problem({ 'mcp-method': undefined }) ?? '', /Mcp-Method header is missing/);
  assert.match(problem({ 'mcp-method': 'TOOLS/CALL' }) ?? '', /Mcp-Method is "TOOLS\/CALL"/);
  assert.match(problem({ 'mcp-name': undefined }) ?? '', /Mcp-Name header is missing; it must repeat params.name/);
  assert.match(problem({ 'mcp-name': '=?base64?!?=' }) ?? '', /malformed/);
  assert.match(problem({ 'mcp-name': 'other' }) ?? '', /Mcp-Name is "other", params.name of the body is "añadir"/);
  const list: RequestMessage = { ...request, method: 'tools/list' };
  assert.equal(problem({ 'mcp-method': 'tools/list', 'mcp-name': undefined }, list), undefined);
  const odd: RequestMessage = { ...request, method: 'constructor' };
  assert.equal(problem({ 'mcp-method': 'constructor', 'mcp-name': undefined }, odd), undefined);
  assert.equal(problem({ 'mcp-name': undefined }, { ...request, params: { name: 7 } }), undefined);
  const note = { kind: 'notification', method: 'notifications/cancelled', params: undefined } as const;
  assert.equal(standardHeadersProblem({}, note, revision20260728), undefined);
  assert.ok(standardHeadersProblem({ 'mcp-method': 'other' }, note, revision20260728));
});

test('a session id is visible ASCII of bounded length', () => {
  assert.deepEqual(sessionIdOf({}, MCP_LIMITS), { sessionId: undefined });
  assert.deepEqual(sessionIdOf({ 'mcp-session-id': 'a!~' }, MCP_LIMITS), { sessionId: 'a!~' });
  for (const id of ['', ' ', 'a b', 'a\u007f', 'é', 'x'.repeat(257)]) {
    const found = sessionIdOf({ 'mcp-session-id': id }, MCP_LIMITS);
    assert.equal('error' in found && found.error.code, INVALID_REQUEST, JSON.stringify(id));
  }
});
