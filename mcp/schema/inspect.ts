/**
 * A schema looked at before anything is compiled from it: size, dialect, the shape of every keyword, patterns, and
 * where its references lead. What passes here compiles, and validates in bounded time.
 */

import { createHash } from 'node:crypto';
import { DefinitionError, quoted } from '../errors.ts';
import { describeExcess, excessOf } from '../json-bounds.ts';
import { SCHEMA_LIMITS } from '../limits.ts';
import { compilableFrom } from './compilable.ts';
import {
  DIALECTS,
  type Dialect,
  dialectOf,
  isObject,
  type KeywordKind,
  keywordKind,
  keywordProblem,
} from './keywords.ts';
import { compilePattern } from './pattern.ts';
import { addressOf, leadingToCycles, ROOT_ADDRESS, resolveReference, type Targets } from './references.ts';

/** A JSON Schema as an object; `true` and `false` are schemas only inside one. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export interface InspectedSchema {
  /** The schema that was given, as JSON has it; frozen. */
  readonly schema: JsonSchema;
  readonly dialect: Dialect;
  /** SHA-256 of its JSON text. */
  readonly digest: string;
  /** The same for the compiler; see `compilableFrom`. */
  readonly compilable: JsonSchema;
  /** The schemas in it that have `keyword`, with their JSON Pointers. */
  having(keyword: string): readonly { readonly pointer: string; readonly schema: JsonSchema }[];
}

const anchorName = /^[A-Za-z_][-A-Za-z0-9._]*$/;

interface Found {
  readonly schema: unknown;
  readonly pointer: string;
  /** The address that references in it are relative to. */
  readonly base: string;
}

/** Throws `DefinitionError` (`ERR_SCHEMA`) naming `where`, the place in the schema and the reason. */
export function inspectSchema(given: unknown, where: string): InspectedSchema {
  const text = jsonText(given, where);
  const schema = freeze(JSON.parse(text)) as JsonSchema;
  const dialect = dialectOf(schema['$schema']);
  if (dialect === undefined) {
    throw bad(where, '/$schema', `the dialect ${quoted(String(schema['$schema']))} is not supported: use ${DIALECTS}`);
  }
  const inspection = new Inspection(where, dialect);
  inspection.run(schema);
  const pointers = new Map([...inspection.visited].map(([each, { pointer }]) => [each, pointer]));
  const annotated = (keyword: string): { pointer: string; schema: JsonSchema }[] =>
    [...pointers].flatMap(([each, pointer]) => (Object.hasOwn(each, keyword) ? [{ pointer, schema: each }] : []));
  return {
    schema,
    dialect,
    digest: createHash('sha256').update(text).digest('hex'),
    compilable: compilableFrom(schema, dialect, inspection.resolved, pointers),
    having: annotated,
  };
}

function jsonText(given: unknown, where: string): string {
  if (!isObject(given)) throw bad(where, '', 'must be a JSON Schema object');
  if ('~standard' in given) throw bad(where, '', 'is a validator of a library: convert it to JSON Schema first');
  const { depthMax, nodesMax, lengthMax } = SCHEMA_LIMITS;
  const excess = excessOf(given, depthMax, nodesMax);
  if (excess !== undefined) throw bad(where, '', describeExcess(excess, depthMax, nodesMax));
  const text = JSON.stringify(given);
  if (text.length > lengthMax) throw bad(where, '', `has more than ${lengthMax} characters`);
  return text;
}

function bad(where: string, pointer: string, reason: string): DefinitionError {
  return new DefinitionError('ERR_SCHEMA', `${where}${pointer === '' ? '' : ` at ${pointer}`}: ${reason}`);
}

/** The depth is bounded by then. */
function freeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) freeze(each);
    Object.freeze(value);
  }
  return value;
}

class Inspection {
  readonly visited: Map<JsonSchema, Found> = new Map();
  /** What the references of each schema lead to. */
  readonly resolved: Map<JsonSchema, { readonly keyword: string; readonly target: JsonSchema | boolean }[]> = new Map();
  private readonly where: string;
  private readonly dialect: Dialect;
  private readonly pending: Found[] = [];
  private readonly references: { readonly from: Found; readonly keyword: string; readonly to: string }[] = [];
  private readonly targets: Targets = { resources: new Map(), anchors: new Map(), dynamic: new Map() };
  /** From each schema to those that apply to the same value. */
  private readonly here: Map<unknown, unknown[]> = new Map();

  constructor(where: string, dialect: Dialect) {
    this.where = where;
    this.dialect = dialect;
  }

  run(root: JsonSchema): void {
    this.targets.resources.set(ROOT_ADDRESS, root);
    this.pending.push({ schema: root, pointer: '', base: ROOT_ADDRESS });
    for (let found = this.pending.pop(); found !== undefined; found = this.pending.pop()) this.visit(found);
    for (const reference of this.references) this.follow(reference);
    const endless = leadingToCycles(this.here).map((schema) => this.visited.get(schema as JsonSchema)!);
    if (endless.length > 0) {
      throw this.bad(endless.at(-1)!, 'refers to itself without going into the value: no validation would end');
    }
  }

  private bad({ pointer }: Found, reason: string): DefinitionError {
    return bad(this.where, pointer, reason);
  }

  private visit(found: Found): void {
    const { schema } = found;
    if (typeof schema === 'boolean') return;
    if (!isObject(schema)) throw this.bad(found, 'must be a schema: an object, true or false');
    const placed = { ...found, base: this.place(found, schema) };
    this.visited.set(schema, placed);
    for (const [keyword, value] of Object.entries(schema)) {
      const kind = keywordKind(this.dialect, keyword);
      if (kind !== undefined) this.check(placed, keyword, kind, value);
    }
  }

  /** Notes the names that a schema gives itself; returns the address that its references are relative to. */
  private place(found: Found, schema: JsonSchema): string {
    const { $id: id, $anchor: anchor, $dynamicAnchor: dynamicAnchor } = schema;
    let { base } = found;
    // Draft-07 has its anchors in $id.
    const idAnchor =
      this.dialect === 'draft-07' && typeof id === 'string' && id.startsWith('#') ? id.slice(1) : undefined;
    if (typeof id === 'string' && idAnchor === undefined) {
      const address = addressOf(id, base);
      if (address === undefined) throw this.bad(found, `$id ${quoted(id)} is not an address without a fragment`);
      this.name(this.targets.resources, address, found);
      base = address;
    }
    for (const name of [anchor, dynamicAnchor, idAnchor]) {
      if (typeof name !== 'string') continue;
      if (!anchorName.test(name)) throw this.bad(found, `the anchor ${quoted(name)} must be a plain name`);
      this.name(this.targets.anchors, `${base}#${name}`, found);
    }
    if (typeof dynamicAnchor === 'string') {
      this.targets.dynamic.set(dynamicAnchor, [...(this.targets.dynamic.get(dynamicAnchor) ?? []), schema]);
    }
    return base;
  }

  /** Two schemas of one name would leave open which is meant. */
  private name(names: Map<string, unknown>, name: string, found: Found): void {
    const other = names.get(name);
    if (other !== undefined && other !== found.schema)
      throw this.bad(found, `${quoted(name)} names another schema too`);
    names.set(name, found.schema);
  }

  private check(from: Found, keyword: string, kind: KeywordKind, value: unknown): void {
    const found: Found = { schema: value, pointer: `${from.pointer}/${keyword}`, base: from.base };
    const problem = keywordProblem(kind, value);
    if (problem !== undefined) throw this.bad(found, problem);
    switch (kind) {
      case 'schema':
      case 'schema_here':
        this.enter(from, found, kind);
        break;
      case 'schema_or_schemas':
      case 'schemas':
      case 'schemas_here':
        if (kind === 'schema_or_schemas' && !Array.isArray(value)) this.enter(from, found, kind);
        else if (!Array.isArray(value) || value.length === 0)
          throw this.bad(found, 'must be an array of schemas, not empty');
        else this.enterAll(from, found, kind);
        break;
      case 'schema_map':
      case 'schema_map_here':
      case 'schema_or_names_map_here':
      case 'pattern_map':
        if (!isObject(value)) throw this.bad(found, 'must be an object of schemas');
        this.enterAll(from, found, kind);
        break;
      case 'pattern':
        this.checkPattern(found, value as string);
        break;
      case 'reference':
      case 'dynamic_reference':
        this.references.push({ from, keyword, to: value as string });
        break;
      default:
    }
  }

  private enterAll(from: Found, { schema, pointer, base }: Found, kind: KeywordKind): void {
    for (const [key, each] of Object.entries(schema as object)) {
      const found = { schema: each, pointer: `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, base };
      if (kind === 'pattern_map') this.checkPattern(found, key);
      if (kind === 'schema_or_names_map_here' && Array.isArray(each)) {
        const problem = keywordProblem('names', each);
        if (problem !== undefined) throw this.bad(found, problem);
      } else this.enter(from, found, kind);
    }
  }

  private enter(from: Found, found: Found, kind: KeywordKind): void {
    this.pending.push(found);
    if (kind.endsWith('_here')) this.link(from, found.schema);
  }

  private link(from: Found, to: unknown): void {
    if (typeof to !== 'object') return;
    const links = this.here.get(from.schema);
    if (links === undefined) this.here.set(from.schema, [to]);
    else links.push(to);
  }

  private checkPattern(found: Found, pattern: string): void {
    try {
      compilePattern(pattern, 0);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw this.bad(found, `the pattern ${quoted(pattern)} cannot be used: ${reason}`);
    }
  }

  private follow({ from, keyword, to }: { from: Found; keyword: string; to: string }): void {
    const target = resolveReference(to, from.base, this.targets);
    // A place that no keyword makes a schema is none, whatever stands there (2020-12, core, 9.4.2).
    if (typeof target !== 'boolean' && !this.visited.has(target as JsonSchema)) {
      const reason = `${keyword} ${quoted(to)} leads to no schema in the document, and remote schemas are not fetched`;
      throw this.bad(from, reason);
    }
    const name = to.replace(/^.*#/, '');
    if (keyword === '$dynamicRef' && (this.targets.dynamic.get(name)?.length ?? 0) > 1) {
      throw this.bad(from, `${keyword} ${quoted(to)}: only one schema may have that $dynamicAnchor`);
    }
    const schema = from.schema as JsonSchema;
    const others = this.resolved.get(schema) ?? [];
    this.resolved.set(schema, [...others, { keyword, target: target as JsonSchema | boolean }]);
    this.link(from, target);
  }
}
