import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEADER_MISMATCH } from '../../mcp/errors.ts';
import { paramHeadersOf, paramHeadersProblem } from '../../mcp/param-headers.ts';
import { inspectSchema, type JsonSchema } from '../../mcp/schema/inspect.ts';

const headersOf = (schema: JsonSchema): ReturnType<typeof paramHeadersOf> =>
  paramHeadersOf(inspectSchema({ type: 'object', ...schema }, 't'), 't');

const region = { type: 'string', 'x-mcp-header': 'Region' };

test('annotations are found where only properties lead', () => {
  assert.deepEqual(headersOf({}), []);
  const nested = { type: 'object', properties: { 'a/b': { type: 'integer', 'x-mcp-header': 'n' } } };
  assert.deepEqual(headersOf({ properties: { region, properties: nested } }), [
    { name: 'n', header: 'mcp-param-n', path: ['properties', 'a/b'] },
    { name: 'Region', header: 'mcp-param-region', path: ['region'] },
  ]);
  assert.deepEqual(headersOf({ properties: { 'x-mcp-header': { type: 'string' } } }), [], 'a property of that name');
});

test('an annotation that clients must refuse is refused where the tool is defined', () => {
  const wrong: readonly [JsonSchema, RegExp][] = [
    [{ properties: { a: { ...region, 'x-mcp-header': '' } } }, /at \/properties\/a\/x-mcp-header: must be a token/],
    [{ properties: { a: { ...region, 'x-mcp-header': 'a b' } } }, /must be a token/],
    [{ properties: { a: { ...region, 'x-mcp-header': 'a\r\nb' } } }, /must be a token/],
    [{ properties: { a: { ...region, 'x-mcp-header': 7 } } }, /must be a token/],
    [{ properties: { a: region, b: { ...region, 'x-mcp-header': 'REGION' } } }, /used twice/],
    [{ properties: { a: { ...region, type: 'number' } } }, /type 'string', 'integer' or 'boolean'/],
    [{ properties: { a: { 'x-mcp-header': 'a' } } }, /type 'string', 'integer' or 'boolean'/],
    [{ properties: { a: { type: 'array', items: region } } }, /through `properties` alone/],
    [{ allOf: [{ properties: { a: region } }] }, /through `properties` alone/],
    [{ if: { properties: { a: region } } }, /through `properties` alone/],
    [{ $defs: { a: region }, properties: { b: { $ref: '#/$defs/a' } } }, /through `properties` alone/],
    [region, /type 'string'|through/],
  ];
  for (const [schema, message] of wrong) {
    assert.throws(() => headersOf(schema), { name: 'DefinitionError', code: 'ERR_SCHEMA', message });
  }
});

test('each header must repeat its argument', () => {
  const params = headersOf({
    properties: {
      region,
      count: { type: 'integer', 'x-mcp-header': 'Count' },
      dry: { type: 'boolean', 'x-mcp-header': 'Dry' },
      at: { type: 'object', properties: { zone: { type: 'string', 'x-mcp-header': 'Zone' } } },
    },
  });
  const problem = (headers: Record<string, string>, args: Record<string, unknown>): string | undefined => {
    const error = paramHeadersProblem(params, headers, args);
    if (error !== undefined) assert.equal(error.code, HEADER_MISMATCH);
    return error?.message;
  };
  assert.equal(problem({}, {}), undefined);
  assert.equal(problem({}, { region: null, at: { zone: null } }), undefined);
  assert.equal(problem({}, { at: 'no object' }), undefined);
  const all = { 'mcp-param-region': 'eu', 'mcp-param-count': '42.0', 'mcp-param-dry': 'true', 'mcp-param-zone': 'z' };
  assert.equal(problem(all, { region: 'eu', count: 42, dry: true, at: { zone: 'z' } }), undefined);
  assert.equal(problem({ 'mcp-param-region': '=?base64?SGVsbG8=?=' }, { region: 'Hello' }), undefined);
  assert.equal(problem({ 'mcp-param-region': 'SGVsbG8=' }, { region: 'SGVsbG8=' }), undefined);
  assert.match(
    problem({}, { region: 'eu' }) ?? '',
    /Mcp-Param-Region is missing; it must repeat the argument "region"/,
  );
  assert.match(problem({}, { at: { zone: '' } }) ?? '', /Mcp-Param-Zone is missing.*"at.zone"/);
  assert.match(problem({ 'mcp-param-region': 'eu' }, {}) ?? '', /is given, the argument "region" is not/);
  assert.match(problem({ 'mcp-param-region': 'eu' }, { region: 'EU' }) ?? '', /differ/);
  assert.match(problem({ 'mcp-param-region': '=?base64?SGVsbG8?=' }, { region: 'Hello' }) ?? '', /malformed/);
  for (const count of ['0x2a', ' 42a', '', '4.2e1', '43']) {
    assert.match(problem({ 'mcp-param-count': count }, { count: 42 }) ?? '', /differ/, count);
  }
  assert.match(problem({ 'mcp-param-dry': 'True' }, { dry: true }) ?? '', /differ/);
  assert.match(problem({ 'mcp-param-region': 'x' }, { region: {} }) ?? '', /differ/);
});
