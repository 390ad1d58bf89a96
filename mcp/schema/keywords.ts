/** The vocabulary of JSON Schema 2020-12 and draft-07: what the value of each keyword must be. */

/** The dialects that are served, by their `$schema`. */
export type Dialect = '2020-12' | 'draft-07';

const dialects: ReadonlyMap<string, Dialect> = new Map([
  ['https://json-schema.org/draft/2020-12/schema', '2020-12'],
  ['http://json-schema.org/draft-07/schema', 'draft-07'],
  ['https://json-schema.org/draft-07/schema', 'draft-07'],
]);

export const DIALECTS: string = [...dialects.keys()].join(', ');

/** The dialect that a schema declares; 2020-12 if it declares none (MCP 2025-11-25, basic, Schema Dialect). */
export function dialectOf(declared: unknown): Dialect | undefined {
  if (declared === undefined) return '2020-12';
  return typeof declared === 'string' ? dialects.get(declared.replace(/#$/, '')) : undefined;
}

/**
 * What a keyword's value is. `schema…` kinds hold further schemas; `here` ones apply to the same value as the schema
 * that holds them, so that a cycle through them alone would never end.
 */
export type KeywordKind =
  | 'schema'
  | 'schema_here'
  | 'schemas_here'
  | 'schemas'
  | 'schema_or_schemas'
  | 'schema_map'
  | 'schema_map_here'
  | 'pattern_map'
  | 'schema_or_names_map_here'
  | 'reference'
  | 'dynamic_reference'
  | 'pattern'
  | 'types'
  | 'text'
  | 'flag'
  | 'number'
  | 'positive'
  | 'count'
  | 'names'
  | 'names_map'
  | 'value'
  | 'values'
  | 'examples';

const shared: Readonly<Record<string, KeywordKind>> = {
  $id: 'text',
  $schema: 'text',
  $comment: 'text',
  $ref: 'reference',
  $defs: 'schema_map',
  definitions: 'schema_map',
  title: 'text',
  description: 'text',
  format: 'text',
  contentEncoding: 'text',
  contentMediaType: 'text',
  readOnly: 'flag',
  writeOnly: 'flag',
  examples: 'examples',
  const: 'value',
  enum: 'values',
  type: 'types',
  multipleOf: 'positive',
  maximum: 'number',
  exclusiveMaximum: 'number',
  minimum: 'number',
  exclusiveMinimum: 'number',
  maxLength: 'count',
  minLength: 'count',
  pattern: 'pattern',
  maxItems: 'count',
  minItems: 'count',
  uniqueItems: 'flag',
  maxProperties: 'count',
  minProperties: 'count',
  required: 'names',
  contains: 'schema',
  properties: 'schema_map',
  patternProperties: 'pattern_map',
  additionalProperties: 'schema',
  propertyNames: 'schema',
  dependencies: 'schema_or_names_map_here',
  allOf: 'schemas_here',
  anyOf: 'schemas_here',
  oneOf: 'schemas_here',
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: 'schema_here',
  if: 'schema_here',
  else: 'schema_here',
  not: 'schema_here',
};

const tables: Readonly<Record<Dialect, ReadonlyMap<string, KeywordKind>>> = {
  'draft-07': new Map(
    Object.entries<KeywordKind>({ ...shared, items: 'schema_or_schemas', additionalItems: 'schema' }),
  ),
  '2020-12': new Map(
    Object.entries<KeywordKind>({
      ...shared,
      $anchor: 'text',
      $dynamicAnchor: 'text',
      $dynamicRef: 'dynamic_reference',
      deprecated: 'flag',
      prefixItems: 'schemas',
      items: 'schema',
      minContains: 'count',
      maxContains: 'count',
      dependentRequired: 'names_map',
      dependentSchemas: 'schema_map_here',
      unevaluatedItems: 'schema',
      unevaluatedProperties: 'schema',
    }),
  ),
};

export function keywordKind(dialect: Dialect, keyword: string): KeywordKind | undefined {
  return tables[dialect].get(keyword);
}

/** Whether a keyword may change what is valid; the others are names and notes. */
export function validates(kind: KeywordKind | undefined): boolean {
  return kind !== undefined && kind !== 'text' && kind !== 'examples';
}

const typeNames: ReadonlySet<unknown> = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']);

/** What is wrong with the value of a keyword that holds no schema; undefined if nothing is. */
export function keywordProblem(kind: KeywordKind, value: unknown): string | undefined {
  switch (kind) {
    case 'text':
    case 'pattern':
    case 'reference':
    case 'dynamic_reference':
      return typeof value === 'string' ? undefined : 'must be a string';
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'number':
      return typeof value === 'number' ? undefined : 'must be a number';
    case 'positive':
      return typeof value === 'number' && value > 0 ? undefined : 'must be a number greater than 0';
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : 'must be a whole number of 0 or more';
    case 'names':
      return isNames(value) ? undefined : 'must be an array of different strings';
    case 'names_map':
      return isObject(value) && Object.values(value).every(isNames) ? undefined : 'must map names to arrays of names';
    case 'values':
      return Array.isArray(value) && value.length > 0 ? undefined : 'must be an array, not empty';
    case 'examples':
      return Array.isArray(value) ? undefined : 'must be an array';
    case 'types':
      return isTypes(value) ? undefined : `must be one or several of ${[...typeNames].join(', ')}`;
    default:
      return undefined;
  }
}

function isTypes(value: unknown): boolean {
  if (!Array.isArray(value)) return typeNames.has(value);
  return value.length > 0 && new Set(value).size === value.length && value.every((each) => typeNames.has(each));
}

function isNames(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return value.every((each) => typeof each === 'string') && new Set(value).size === value.length;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
