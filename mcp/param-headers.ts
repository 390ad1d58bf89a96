/** `x-mcp-header`: arguments that clients repeat in HTTP headers (2026-07-28, Custom Headers from Tool Parameters). */

import { DefinitionError, type ErrorObject, quoted } from './errors.ts';
import { decodeHeader, encodeHeader, type Headers, mismatch } from './headers.ts';
import { isJsonObject, type JsonObject } from './json-rpc.ts';
import type { InspectedSchema } from './schema/inspect.ts';

const annotation = 'x-mcp-header';

/** An argument that has a header. */
export interface ParamHeader {
  /** As it is written in the schema: `'Region'`. */
  readonly name: string;
  /** As it arrives: `'mcp-param-region'`. */
  readonly header: string;
  /** The properties that lead to the argument. */
  readonly path: readonly string[];
}

/**
 * The annotated arguments of an input schema. Throws `DefinitionError` (`ERR_SCHEMA`) for an annotation that clients
 * must refuse: no header token, used twice, not on a string, integer or boolean, or not reached through `properties`
 * alone.
 */
export function paramHeadersOf(input: Pick<InspectedSchema, 'having'>, where: string): readonly ParamHeader[] {
  const used = new Set<string>();
  return input.having(annotation).map(({ pointer, schema }) => {
    const bad = (reason: string): DefinitionError =>
      new DefinitionError('ERR_SCHEMA', `${where} at ${pointer}/${annotation}: ${reason}`);
    const name = schema[annotation];
    if (typeof name !== 'string' || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
      throw bad("must be a token of HTTP: letters, digits and !#$%&'*+-.^_`|~");
    }
    const header = `mcp-param-${name.toLowerCase()}`;
    if (used.has(header)) throw bad(`${quoted(name)} is used twice; case makes no difference`);
    used.add(header);
    if (!['string', 'integer', 'boolean'].includes(schema['type'] as string)) {
      throw bad("is for properties of type 'string', 'integer' or 'boolean'");
    }
    const path = pathOf(pointer);
    if (path === undefined) throw bad('is for properties that are reached through `properties` alone');
    return { name, header, path };
  });
}

/** `/properties/a/properties/b` as `['a', 'b']`. */
function pathOf(pointer: string): string[] | undefined {
  const parts = pointer.split('/').slice(1);
  if (parts.length === 0 || parts.some((part, index) => index % 2 === 0 && part !== 'properties')) return undefined;
  return parts.filter((_, index) => index % 2 === 1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Whether each header says what its argument says: -32020 if not. */
export function paramHeadersProblem(
  params: readonly ParamHeader[],
  headers: Headers,
  args: JsonObject,
): ErrorObject | undefined {
  for (const param of params) {
    const problem = paramProblem(param, headers[param.header], valueAt(args, param.path));
    if (problem !== undefined) return mismatch(problem);
  }
  return undefined;
}

/** The headers that repeat the arguments of a call; what is not given has none. */
export function paramHeaderValues(params: readonly ParamHeader[], args: JsonObject): Headers {
  const values: Record<string, string> = {};
  for (const { header, path } of params) {
    const value = valueAt(args, path);
    if (['string', 'number', 'boolean'].includes(typeof value)) values[header] = encodeHeader(String(value));
  }
  return values;
}

function paramProblem({ name, path }: ParamHeader, raw: string | undefined, value: unknown): string | undefined {
  const argument = path.join('.');
  if (value === undefined || value === null) {
    return raw === undefined ? undefined : `Mcp-Param-${name} is given, the argument ${quoted(argument)} is not`;
  }
  if (raw === undefined)
    return `the header Mcp-Param-${name} is missing; it must repeat the argument ${quoted(argument)}`;
  const header = decodeHeader(raw);
  if (header === undefined) return `the header Mcp-Param-${name} is malformed`;
  return same(header, value) ? undefined : `Mcp-Param-${name} and the argument ${quoted(argument)} differ`;
}

function same(header: string, value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return header === value;
    case 'number':
      // 42 and 42.0 are the same integer.
      return /^-?\d+(?:\.\d+)?$/.test(header) && Number(header) === value;
    case 'boolean':
      return header === String(value);
    default:
      return false;
  }
}

function valueAt(args: JsonObject, path: readonly string[]): unknown {
  let at: unknown = args;
  for (const key of path) at = isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}
