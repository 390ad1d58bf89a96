import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { DefinitionError } from '../../mcp/errors.ts';
import { MCP_LIMITS, mcpLimits } from '../../mcp/limits.ts';
import { inspectSchema, type JsonSchema } from '../../mcp/schema/inspect.ts';
import { schemaCompiler } from '../../mcp/schema.ts';

const compile = schemaCompiler(MCP_LIMITS);

function problems(schema: JsonSchema, value: unknown, limits = MCP_LIMITS): readonly string[] | undefined {
  const compiler = limits === MCP_LIMITS ? compile : schemaCompiler(limits);
  return compiler(inspectSchema(schema, 't'))(value, 'arguments');
}

test('each problem names the place and what is expected there', () => {
  const schema = {
    type: 'object',
    properties: {
      by: { type: 'integer', minimum: 1 },
      unit: { enum: ['m', 'ft'] },
      tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, uniqueItems: true, maxItems: 3 },
      'odd key': { type: ['string', 'null'] },
      fixed: { const: { a: 1 } },
    },
    required: ['by'],
    additionalProperties: false,
  };
  assert.equal(problems(schema, { by: 1, unit: 'm', tags: ['a'], 'odd key': null, fixed: { a: 1 } }), undefined);
  assert.deepEqual(problems(schema, { by: 0 }), ['arguments.by: must be >= 1']);
  assert.deepEqual(problems(schema, { by: 'x' }), ['arguments.by: must be integer']);
  assert.deepEqual(problems(schema, []), ['arguments: must be object']);
  assert.deepEqual(
    new Set(problems(schema, { unit: 'km', tags: ['B', 2, 'a', 'a'], 'odd key': 5, more: 1, fixed: 2 })),
    new Set([
      'arguments: missing property "by"',
      'arguments: unknown property "more"',
      'arguments.unit: must be one of "m", "ft"',
      'arguments.tags: must NOT have more than 3 items',
      'arguments.tags[0]: must match pattern "^[a-z]+$"',
      'arguments.tags[1]: must be string',
      'arguments.tags: must not have two equal items',
      'arguments["odd key"]: must be string or null',
      'arguments.fixed: must be {"a":1}',
    ]),
  );
});

test('no more problems than problemsMax are named, and no long text of the value', () => {
  const schema = { type: 'object', additionalProperties: false };
  const value = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${'k'.repeat(500)}${index}`, 1]));
  const found = problems(schema, value);
  assert.equal(found?.at(-1), '… and 40 more');
  assert.ok(found.join().length < 2_000);
});

test('draft-07 and 2020-12 read the same keyword in their own way', () => {
  const tuple = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    items: [{ type: 'string' }],
    additionalItems: false,
  };
  assert.equal(problems(tuple, ['a']), undefined);
  assert.ok(problems(tuple, ['a', 'b']));
  const modern = { prefixItems: [{ type: 'string' }], items: false };
  assert.equal(problems(modern, ['a']), undefined);
  assert.ok(problems(modern, ['a', 'b']));
  assert.ok(problems({ unevaluatedProperties: false, allOf: [{ properties: { a: true } }] }, { b: 1 }));
  assert.deepEqual(problems({ dependentRequired: { a: ['b'] } }, { a: 1 }), [
    'arguments: missing property "b", which "a" requires',
  ]);
});

test('names of Object.prototype are neither found nor harmful', () => {
  const schema = {
    type: 'object',
    properties: { constructor: { type: 'string' }, toString: { type: 'string' } },
    required: ['constructor'],
  };
  assert.deepEqual(problems(schema, {}), ['arguments: missing property "constructor"']);
  assert.equal(problems(schema, { constructor: 'c' }), undefined);
  const closed = { type: 'object', additionalProperties: false };
  assert.ok(problems(closed, JSON.parse('{"__proto__":{"polluted":1}}')));
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('two schemas with one $id do not meet; equal schemas are compiled once', () => {
  assert.equal(problems({ $id: 'https://example.com/a', type: 'string' }, 'x'), undefined);
  assert.ok(problems({ $id: 'https://example.com/a', type: 'number' }, 'x'));
  const one = compile(inspectSchema({ type: 'string', minLength: 3 }, 't'));
  assert.equal(compile(inspectSchema({ type: 'string', minLength: 3 }, 'u')), one);
});

test('format is an annotation, and $data is none of JSON Schema', () => {
  assert.equal(problems({ format: 'email' }, 'no address'), undefined);
  assert.throws(() => problems({ properties: { a: { maximum: { $data: '1/b' } } } }, {}), /must be a number/);
});

test('deep and large values are refused before they are validated', () => {
  let deep: unknown = 0;
  for (let level = 0; level < 5_000; level += 1) deep = { next: deep };
  const list = { $defs: { n: { properties: { next: { $ref: '#/$defs/n' } } } }, $ref: '#/$defs/n' };
  assert.deepEqual(problems(list, deep), ['arguments: has more than 64 arrays and objects inside each other']);
  assert.deepEqual(problems({}, new Array(200_000).fill(0)), ['arguments: has more than 100000 values']);
  const shallow = { next: { next: { next: 5 } } };
  assert.equal(problems(list, shallow), undefined);
});

test('a recursive schema whose branches multiply is cut off', () => {
  const twice = {
    $defs: {
      n: {
        anyOf: [
          { properties: { a: { $ref: '#/$defs/n' } }, required: ['x'] },
          { properties: { a: { $ref: '#/$defs/n' } }, required: ['y'] },
        ],
      },
    },
    $ref: '#/$defs/n',
  };
  let value: unknown = {};
  for (let level = 0; level < 60; level += 1) value = { a: value };
  assert.deepEqual(problems(twice, value), ['arguments: cannot be validated: it takes more than 100000 steps']);
  assert.deepEqual(problems(twice, { a: { x: 1 }, y: 1 }), undefined, 'the next validation begins anew');
});

test('many references to one another are no more than their steps', () => {
  const $defs: Record<string, unknown> = { d30: { type: 'string' } };
  for (let level = 0; level < 30; level += 1) {
    const next = { $ref: `#/$defs/d${level + 1}` };
    $defs[`d${level}`] = { allOf: [next, next] };
  }
  assert.deepEqual(problems({ $defs, $ref: '#/$defs/d0' }, 5), [
    'arguments: cannot be validated: it takes more than 100000 steps',
  ]);
});

test('a chain of references as long as the stack is deep makes values invalid, not the process fail', () => {
  const $defs: Record<string, unknown> = {};
  const last = 2_400;
  for (let link = 0; link < last; link += 1) $defs[`d${link}`] = { allOf: [{ $ref: `#/$defs/d${link + 1}` }] };
  $defs[`d${last}`] = { properties: { next: { $ref: '#/$defs/d0' } } };
  const schema = { $defs, $ref: '#/$defs/d0' };
  let value: unknown = {};
  for (let level = 0; level < 60; level += 1) value = { next: value };
  for (const _ of [1, 2]) assert.match(problems(schema, value)?.join() ?? '', /^arguments: cannot be validated: /);
});

test('patterns that explode elsewhere, and uniqueItems on many objects, end', () => {
  const schema = { properties: { s: { pattern: '^(a+)+$' }, list: { uniqueItems: true } } };
  assert.deepEqual(problems(schema, { s: `${'a'.repeat(50_000)}!` }), ['arguments.s: must match pattern "^(a+)+$"']);
  const list = Array.from({ length: 20_000 }, (_, index) => ({ id: index, name: 'n' }));
  assert.equal(problems(schema, { list }), undefined);
  list.push({ id: 0, name: 'n' });
  assert.deepEqual(problems(schema, { list }), ['arguments.list: must not have two equal items']);
});

test('a text longer than patternInputMax matches no pattern', () => {
  const limits = mcpLimits({ patternInputMax: 10 });
  assert.equal(problems({ pattern: '^a*$' }, 'a'.repeat(10), limits), undefined);
  assert.ok(problems({ pattern: '^a*$' }, 'a'.repeat(11), limits));
});

test('property: a validator never throws, and its problems are texts that begin with the place', () => {
  const validate = compile(
    inspectSchema(
      {
        type: 'object',
        $defs: { tree: { type: 'object', properties: { kids: { type: 'array', items: { $ref: '#/$defs/tree' } } } } },
        properties: { tree: { $ref: '#/$defs/tree' }, name: { type: 'string', pattern: '^[a-z]*$' } },
        additionalProperties: { type: 'number' },
      },
      't',
    ),
  );
  const keys = fc.constantFrom('tree', 'kids', 'name', 'constructor', '__proto__', 'x');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.jsonValue({ maxDepth: 0 }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(value, (given) => {
      const found = validate(given, 'arguments');
      assert.ok(found === undefined || (found.length > 0 && found.every((line) => /^(arguments|…)/.test(line))));
    }),
    { numRuns: 1_000 },
  );
});

const anyKey = fc.constantFrom('a', 'b', 'a/b~', 'constructor', 'id', '%');

/** Values that schemas of `anySchema` have something to say about. */
const anyValue: fc.Arbitrary<unknown> = fc
  .letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(null, true, 0, 1, -1, 1.5, '', 'a', 'abc'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(anyKey, tie('value'), { maxKeys: 3 }),
    ),
  }))
  .value.map((value) => JSON.parse(JSON.stringify(value)));

/** Schemas of any keywords with values that are mostly right, names and references among them. */
function anySchema(dialect: string, without: readonly string[] = []): fc.Arbitrary<JsonSchema> {
  const reference = fc.constantFrom(
    '#',
    '#/$defs/a',
    '#/$defs/b',
    '#a',
    '#b',
    'a',
    'b',
    'b#a',
    '#/properties/a',
    '#/x/y',
    'http://h/a',
  );
  const count = fc.constantFrom<unknown>(0, 1, 2, -1);
  const { schema } = fc.letrec<{ schema: JsonSchema | boolean }>((tie) => {
    const sub = tie('schema');
    const map = fc.dictionary(anyKey, sub, { maxKeys: 2 });
    const list = fc.array(sub, { maxLength: 2 });
    const keywords: Record<string, fc.Arbitrary<unknown>> = {
      $id: fc.constantFrom('a', 'b', '#a', 'http://h/a', 'http://h/a#', ''),
      $anchor: fc.constantFrom('a', 'b', '1', ''),
      $dynamicAnchor: fc.constantFrom('a', 'b'),
      $ref: reference,
      $dynamicRef: reference,
      $recursiveRef: fc.constant('#'),
      $recursiveAnchor: fc.constant(true),
      $async: fc.constant(true),
      $vocabulary: fc.constant({}),
      $comment: fc.constant('c'),
      id: fc.constantFrom<unknown>('a', 5),
      nullable: fc.boolean(),
      discriminator: fc.constant({ propertyName: 'a' }),
      format: fc.constantFrom('date', 'no such'),
      formatMinimum: fc.constant('a'),
      default: fc.jsonValue({ maxDepth: 1 }),
      const: fc.jsonValue({ maxDepth: 1 }),
      enum: fc.uniqueArray(fc.jsonValue({ maxDepth: 1 }), { maxLength: 2, selector: (each) => JSON.stringify(each) }),
      examples: fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 1 }),
      type: fc.constantFrom<unknown>(
        'object',
        'array',
        'string',
        'integer',
        'null',
        ['string', 'null'],
        ['number', 'number'],
        'x',
      ),
      pattern: fc.constantFrom('^a', '(', '\\p{L}'),
      patternProperties: fc.dictionary(fc.constantFrom('^a', '['), sub, { maxKeys: 1 }),
      dependentRequired: fc.dictionary(anyKey, fc.array(anyKey, { maxLength: 2 }), { maxKeys: 1 }),
      dependencies: fc.dictionary(anyKey, fc.oneof(sub, fc.array(anyKey, { maxLength: 2 })), { maxKeys: 2 }),
      required: fc.array(anyKey, { maxLength: 3 }),
      multipleOf: fc.constantFrom(0.5, 2),
      uniqueItems: fc.boolean(),
      items: fc.oneof(sub, list),
    };
    for (const key of ['$defs', 'definitions', 'properties', 'dependentSchemas', 'x']) keywords[key] = map;
    for (const key of ['allOf', 'anyOf', 'oneOf', 'prefixItems']) keywords[key] = list;
    for (const key of ['not', 'if', 'then', 'else', 'contains', 'propertyNames', 'additionalProperties'])
      keywords[key] = sub;
    for (const key of ['additionalItems', 'unevaluatedItems', 'unevaluatedProperties']) keywords[key] = sub;
    for (const key of ['minLength', 'maxLength', 'minItems', 'maxItems', 'minContains', 'maxContains'])
      keywords[key] = count;
    for (const key of ['minProperties', 'maxProperties']) keywords[key] = count;
    for (const key of ['minimum', 'maximum', 'exclusiveMinimum']) keywords[key] = fc.integer({ min: -2, max: 2 });
    for (const key of without) delete keywords[key];
    const entry = fc.constantFrom(...Object.keys(keywords)).chain((key) => fc.tuple(fc.constant(key), keywords[key]!));
    const object = fc.array(entry, { maxLength: 4 }).map((entries) => Object.fromEntries(entries) as JsonSchema);
    return { schema: fc.oneof({ maxDepth: 3, depthIdentifier: 'schema' }, fc.boolean(), object) };
  });
  return schema.map((each) => ({ $schema: dialect, ...(typeof each === 'boolean' ? {} : each) }));
}

for (const dialect of ['https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-07/schema#']) {
  test(`property: what is inspected compiles and validates (${dialect})`, () => {
    let compiled = 0;
    const limits = mcpLimits({ refStepsMax: 1_000 });
    fc.assert(
      fc.property(anySchema(dialect), anyValue, (schema, value) => {
        let inspected: ReturnType<typeof inspectSchema>;
        try {
          inspected = inspectSchema(schema, 't');
        } catch (error) {
          assert.ok(error instanceof DefinitionError && error.code === 'ERR_SCHEMA', String(error));
          return;
        }
        compiled += 1;
        const found = schemaCompiler(limits)(inspected)(value, 'v');
        assert.ok(found === undefined || found.length > 0);
      }),
      { numRuns: Number(process.env['SCHEMA_RUNS'] ?? 1_000) },
    );
    assert.ok(compiled > 200, `${compiled} of the schemas passed the inspection`);
  });

  test(`property: ajv by itself finds the same values valid (${dialect})`, () => {
    const notOfTheDialect = ['$async', 'nullable', 'id', 'discriminator', '$recursiveRef', '$recursiveAnchor'];
    const referring = ['$id', '$anchor', '$dynamicAnchor', '$ref', '$dynamicRef'];
    // Patterns run elsewhere, and ajv takes { constructor: {} } for different from itself.
    const replaced = ['pattern', 'patternProperties', 'uniqueItems'];
    const arbitrary = anySchema(dialect, [...notOfTheDialect, ...referring, ...replaced]);
    const Plain = dialect.includes('2020-12') ? Ajv2020 : Ajv;
    let compared = 0;
    fc.assert(
      fc.property(arbitrary, fc.array(anyValue, { minLength: 5, maxLength: 5 }), (schema, values) => {
        let validate: (value: unknown) => readonly string[] | undefined;
        try {
          const inspected = inspectSchema(schema, 't');
          validate = (value) => schemaCompiler(MCP_LIMITS)(inspected)(value, 'v');
        } catch {
          return; // refused: the other property is about those
        }
        const plain = new Plain({
          allErrors: true,
          strict: false,
          validateFormats: false,
          ownProperties: true,
          logger: false,
        });
        const expected = plain.compile(schema);
        for (const value of values) {
          compared += 1;
          assert.equal(validate(value) === undefined, expected(value), JSON.stringify({ schema, value }));
        }
      }),
      { numRuns: Number(process.env['SCHEMA_RUNS'] ?? 200) },
    );
    assert.ok(compared > 100, `${compared} values were compared`);
  });
}
