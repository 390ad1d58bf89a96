import { DICTIONARY, Special, TEXT } from './special.ts';

/**
 * A checked value whose objects have no keys with lone surrogates: such objects become dictionaries. Hardly ever
 * needed, so that messages need not be searched for such keys. Objects of the `whole` classes are left alone.
 */
export function escapeKeys(value: unknown, whole: { has(type: unknown): boolean }): unknown {
  const escaped = (each: unknown): unknown => escapeKeys(each, whole);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Special) return new Special(value.body.map(escaped));
  if (Array.isArray(value)) return Array.from(value, escaped);
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [escaped(key), escaped(each)]));
  if (value instanceof Set) return new Set([...value].map(escaped));
  if (ArrayBuffer.isView(value) || whole.has(value.constructor)) return value;
  const entries = Object.entries(value);
  if (entries.every(([key]) => key.isWellFormed())) {
    return Object.fromEntries(entries.map(([key, each]) => [key, escaped(each)]));
  }
  const text = (key: string): unknown => (key.isWellFormed() ? key : new Special([TEXT, Buffer.from(key, 'utf16le')]));
  return new Special([DICTIONARY, ...entries.flatMap(([key, each]) => [text(key), escaped(each)])]);
}
