/**
 * A schema as the compiler gets it: nothing in it that has not been inspected, and nothing for the compiler to look
 * up.
 */

import type { JsonSchema } from './inspect.ts';
import { type Dialect, isObject, keywordKind, validates } from './keywords.ts';

/** Stands beside every `$ref`: the compiler counts there what a validation costs. */
export const STEP_KEYWORD = '$step';

type Resolved = ReadonlyMap<JsonSchema, readonly { readonly keyword: string; readonly target: JsonSchema | boolean }[]>;

/**
 * A copy without annotations, names and keywords that are none of the dialect. References are pointers from the root,
 * with `STEP_KEYWORD` beside them; a `$dynamicRef`, which has but one target here, is a `$ref` in `allOf`.
 */
export function compilableFrom(
  root: JsonSchema,
  dialect: Dialect,
  resolved: Resolved,
  pointers: ReadonlyMap<JsonSchema, string>,
): JsonSchema {
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (!isObject(value)) return value;
    if (!pointers.has(value)) return fromEntries(Object.entries(value).map(([key, each]) => [key, copy(each)]));
    const kept = Object.entries(value).filter(([key]) => validates(keywordKind(dialect, key)));
    const schema = fromEntries(kept.map(([key, each]) => [key, copy(each)]));
    for (const { keyword, target } of resolved.get(value) ?? []) {
      delete schema[keyword];
      const reference = typeof target === 'boolean' ? target : referenceTo(pointers.get(target)!);
      if (keyword === '$ref' && reference instanceof Object) Object.assign(schema, reference);
      else schema['allOf'] = [...((schema['allOf'] as unknown[] | undefined) ?? []), reference];
    }
    return schema;
  };
  return copy(root) as JsonSchema;
}

/** A key `__proto__` stays a key. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries);
}

function referenceTo(pointer: string): object {
  return { $ref: `#${pointer.split('/').map(encodeURIComponent).join('/')}`, [STEP_KEYWORD]: true };
}
