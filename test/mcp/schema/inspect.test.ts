import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DefinitionError } from '../../../mcp/errors.ts';
import { inspectSchema, type JsonSchema } from '../../../mcp/schema/inspect.ts';

function refuses(schema: unknown, message: RegExp): void {
  assert.throws(
    () => inspectSchema(schema, 'tool "t": input'),
    (error) => {
      assert.ok(error instanceof DefinitionError, String(error));
      assert.equal(error.code, 'ERR_SCHEMA');
      assert.match(error.message, /^tool "t": input/);
      assert.match(error.message, message);
      return true;
    },
  );
}

function accepts(schema: JsonSchema): void {
  assert.deepEqual(inspectSchema(schema, 't').schema, JSON.parse(JSON.stringify(schema)));
}

test('a schema is an object of JSON, of bounded depth, size and length', () => {
  for (const none of [undefined, null, true, 'object', 7, [], () => ({})])
    refuses(none, /must be a JSON Schema object/);
  refuses({ '~standard': { version: 1 } }, /convert it to JSON Schema/);
  let deep: JsonSchema = { type: 'object' };
  for (let level = 0; level < 40; level += 1) deep = { properties: { a: deep } };
  refuses(deep, /more than 64 arrays and objects/);
  const loop: Record<string, unknown> = { type: 'object' };
  loop['not'] = loop;
  refuses(loop, /more than 64 arrays and objects/);
  refuses({ enum: Array.from({ length: 20_000 }, (_, index) => index) }, /more than 10000 values/);
  refuses({ description: 'x'.repeat(300_000) }, /more than 262144 characters/);
  refuses({ const: 1n }, /bigint/);
});

test('the dialect is 2020-12, or draft-07 when $schema says so', () => {
  assert.equal(inspectSchema({ type: 'object' }, 't').dialect, '2020-12');
  const dialect = ($schema: string): string => inspectSchema({ $schema }, 't').dialect;
  assert.equal(dialect('https://json-schema.org/draft/2020-12/schema'), '2020-12');
  assert.equal(dialect('http://json-schema.org/draft-07/schema#'), 'draft-07');
  assert.equal(dialect('http://json-schema.org/draft-07/schema'), 'draft-07');
  refuses(
    { $schema: 'http://json-schema.org/draft-04/schema#' },
    /at \/\$schema: the dialect .*draft-04.* not supported/,
  );
  refuses({ $schema: 7 }, /not supported/);
});

test('each keyword must have a value of its kind, wherever it stands', () => {
  const wrong: readonly [JsonSchema, RegExp][] = [
    [{ type: 'strin' }, /at \/type: must be one or several of/],
    [{ type: [] }, /at \/type/],
    [{ type: ['string', 'string'] }, /at \/type/],
    [{ enum: [] }, /at \/enum: must be an array, not empty/],
    [{ type: ['string', 'constructor'] }, /at \/type/],
    [{ properties: { a: { minLength: -1 } } }, /at \/properties\/a\/minLength: must be a whole number/],
    [{ properties: { 'a/b': 5 } }, /at \/properties\/a~1b: must be a schema/],
    [{ properties: [] }, /at \/properties: must be an object of schemas/],
    [{ required: 'a' }, /at \/required: must be an array of different strings/],
    [{ required: ['a', 'a'] }, /at \/required/],
    [{ items: { multipleOf: 0 } }, /at \/items\/multipleOf: must be a number greater than 0/],
    [{ items: [{}] }, /at \/items: must be a schema/],
    [{ allOf: [] }, /at \/allOf: must be an array of schemas, not empty/],
    [{ anyOf: [{}, { maximum: '1' }] }, /at \/anyOf\/1\/maximum: must be a number/],
    [{ not: { $defs: { a: { uniqueItems: 'yes' } } } }, /at \/not\/\$defs\/a\/uniqueItems: must be true or false/],
    [{ enum: {} }, /at \/enum: must be an array/],
    [{ dependentRequired: { a: 'b' } }, /at \/dependentRequired: must map/],
    [{ additionalProperties: 'no' }, /at \/additionalProperties: must be a schema/],
    [{ pattern: 5 }, /at \/pattern: must be a string/],
    [{ $ref: 5 }, /at \/\$ref: must be a string/],
    [{ title: 5 }, /at \/title: must be a string/],
    [{ $schema: 'http://json-schema.org/draft-07/schema#', dependencies: { a: [1] } }, /at \/dependencies\/a/],
  ];
  for (const [schema, message] of wrong) refuses(schema, message);
});

test('what is no keyword may be anything, and values that look like schemas are values', () => {
  accepts({ 'x-own': { type: 'nonsense' }, default: { $ref: 5 }, const: { type: 7 }, examples: [{ $ref: '#/no' }] });
  accepts({
    properties: { properties: { type: 'string' }, constructor: { type: 'string' }, $ref: { type: 'string' } },
  });
  accepts({ $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }], additionalItems: false });
});

test('references lead to a place in the document; nothing is fetched', () => {
  accepts({ $defs: { a: { type: 'string' } }, properties: { b: { $ref: '#/$defs/a' } } });
  accepts({ $defs: { 'a/b~': { type: 'string' } }, $ref: '#/$defs/a~1b~0' });
  accepts({ $defs: { a: { $anchor: 'here' } }, properties: { b: { $ref: '#here' } } });
  accepts({ $id: 'https://example.com/root', $defs: { a: { $id: 'a', type: 'string' } }, items: { $ref: 'a' } });
  accepts({ $id: 'https://example.com/root', $defs: { a: {} }, items: { $ref: 'https://example.com/root#/$defs/a' } });
  accepts({ $defs: { n: { $dynamicAnchor: 'n' } }, items: { $dynamicRef: '#n' } });
  const nowhere = [
    '#/$defs/b',
    '#no',
    'https://example.com/s.json',
    'http://localhost/',
    'file:///etc/passwd',
    'a',
    '#/%',
    '//',
  ];
  for (const $ref of nowhere) refuses({ $defs: { a: {} }, properties: { p: { $ref } } }, /at \/properties\/p: \$ref/);
  refuses({ $ref: '#/constructor' }, /leads to no schema/);
  refuses({ $ref: '#/__proto__' }, /leads to no schema/);
  refuses({ $ref: '#/title', title: 'text' }, /leads to no schema/);
  refuses({ default: { type: 'string' }, items: { $ref: '#/default' } }, /leads to no schema/);
  refuses({ components: { a: {} }, items: { $ref: '#/components/a' } }, /leads to no schema/);
  refuses({ $anchor: 'a b' }, /the anchor "a b" must be a plain name/);
  refuses({ $defs: { a: { $anchor: 'n' }, b: { $anchor: 'n' } } }, /names another schema too/);
  refuses({ $defs: { a: { $id: 'n' }, b: { $id: 'n' } } }, /names another schema too/);
  refuses({ $id: 'n#part' }, /is not an address without a fragment/);
  const named = { $dynamicAnchor: 'n' };
  refuses({ $defs: { a: { $id: 'a', ...named }, b: { $id: 'b', ...named } }, $dynamicRef: 'a#n' }, /only one schema/);
  refuses({ $id: 'http://[', type: 'object' }, /is not an address/);
});

test('recursion goes into the value or is refused', () => {
  accepts({ properties: { next: { $ref: '#' } } });
  accepts({ $defs: { n: { anyOf: [{ type: 'null' }, { items: { $ref: '#/$defs/n' } }] } }, $ref: '#/$defs/n' });
  accepts({ additionalProperties: { allOf: [{ $ref: '#' }] } });
  refuses({ $ref: '#' }, /no validation would end/);
  refuses({ allOf: [{ anyOf: [{ $ref: '#' }] }] }, /no validation would end/);
  refuses({ $defs: { a: { $ref: '#/$defs/b' }, b: { not: { $ref: '#/$defs/a' } } } }, /no validation would end/);
  refuses({ dependentSchemas: { a: { $ref: '#' } } }, /no validation would end/);
  refuses({ if: { $ref: '#' } }, /no validation would end/);
  refuses({ $dynamicAnchor: 'n', $dynamicRef: '#n' }, /no validation would end/);
});

test('patterns must run in linear time', () => {
  accepts({ pattern: '^(a+)+$' });
  accepts({ patternProperties: { '^x-': true } });
  refuses(
    { properties: { a: { pattern: '(?=a)b' } } },
    /at \/properties\/a\/pattern: the pattern "\(\?=a\)b" cannot be used/,
  );
  refuses({ pattern: '(a)\\1' }, /cannot be used/);
  refuses({ pattern: '(a{1000}){1000}' }, /cannot be used/);
  refuses({ patternProperties: { '(': true } }, /at \/patternProperties\/\(: the pattern/);
});

test('the listed schema is frozen and is no longer what was given; equal schemas have one digest', () => {
  const given = { type: 'object', properties: { a: { type: 'string' } } };
  const first = inspectSchema(given, 't');
  const second = inspectSchema(structuredClone(given), 't');
  assert.equal(first.digest, second.digest);
  given.properties.a.type = 'number';
  assert.deepEqual(first.schema, { type: 'object', properties: { a: { type: 'string' } } });
  assert.notEqual(inspectSchema(given, 't').digest, first.digest);
  assert.ok(Object.isFrozen(first.schema) && Object.isFrozen((first.schema as typeof given).properties.a));
});
