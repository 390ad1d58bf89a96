import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readTools } from '../../../mcp/client/tools.ts';

const tool = (name: string, properties: object, more: object = {}): object => ({
  name,
  inputSchema: { type: 'object', properties },
  ...more,
});

test('annotated arguments are found through properties, also where properties are called like keywords', () => {
  const { known, problems } = readTools(
    [
      tool('a', {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        properties: { type: 'object', properties: { enum: { type: 'boolean', 'x-mcp-header': 'Deep' } } },
      }),
    ],
    true,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    known.get('a')?.paramHeaders.map(({ header, path }) => [header, path]),
    [
      ['mcp-param-region', ['region']],
      ['mcp-param-deep', ['properties', 'enum']],
    ],
  );
});

test('a tool with a wrong annotation is not usable; without headers the annotations do not count', () => {
  const wrong = [
    tool('empty', { a: { type: 'string', 'x-mcp-header': '' } }),
    tool('space', { a: { type: 'string', 'x-mcp-header': 'My Header' } }),
    tool('object', { a: { type: 'object', 'x-mcp-header': 'A' } }),
    tool('twice', { a: { type: 'string', 'x-mcp-header': 'A' }, b: { type: 'string', 'x-mcp-header': 'a' } }),
    tool('items', { a: { type: 'array', items: { type: 'string', 'x-mcp-header': 'A' } } }),
    tool('branch', {}, { inputSchema: { anyOf: [{ properties: { a: { type: 'string', 'x-mcp-header': 'A' } } }] } }),
  ];
  const good = tool('good', { a: { default: { 'x-mcp-header': '' } } });
  assert.deepEqual(readTools([...wrong, good], true).usable, [good]);
  assert.equal(readTools([...wrong, good], true).problems.length, wrong.length);
  assert.equal(readTools([...wrong, good], false).usable.length, wrong.length + 1);
});

test('a tool is repeatable if it says that it is idempotent or only reads', () => {
  const of = (annotations: unknown) => readTools([{ name: 't', annotations }], false).known.get('t')?.repeatable;
  assert.deepEqual([{ idempotentHint: true }, { readOnlyHint: true }, { idempotentHint: 'yes' }, undefined].map(of), [
    true,
    true,
    false,
    false,
  ]);
});

test('names like constructor are no tools unless they are listed', () => {
  const { known } = readTools([{ name: '__proto__' }], false);
  assert.equal(known.get('constructor'), undefined);
  assert.equal(known.get('__proto__')?.repeatable, false);
});

test('property: no list of a server makes reading it fail', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.boolean(), (items, headers) => {
      const { usable, problems } = readTools(items, headers);
      assert.equal(usable.length + problems.length, items.length);
    }),
  );
});
