/** Regular expressions in time linear to the text: a pattern meets text that a stranger chose. */

import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

const require = createRequire(import.meta.url);
let engine: typeof RE2JS | undefined;

/** A pattern as the schema compiler wants it. */
export interface Pattern {
  test(text: string): boolean;
  /** Two patterns with the same text are taken for one. */
  toString(): string;
}

/**
 * Compiles an ECMAScript pattern. Throws an `Error` with the reason for what cannot run in linear time: look-around and
 * back-references. Text longer than `inputMax` does not match. The engine is loaded with the first pattern.
 */
export function compilePattern(source: string, inputMax: number): Pattern {
  engine ??= (require('re2js') as { RE2JS: typeof RE2JS }).RE2JS;
  const compiled = engine.compile(engine.translateRegExp(source));
  return {
    test: (text) => text.length <= inputMax && compiled.test(text),
    toString: () => source,
  };
}

/** The groups of a text that matches as a whole, from the first on; undefined if it does not. */
export type Matcher = (text: string) => readonly (string | undefined)[] | undefined;

/** Compiles a pattern of our own whose groups are wanted. Texts are to be bounded by the caller. */
export function compileMatcher(source: string): Matcher {
  engine ??= (require('re2js') as { RE2JS: typeof RE2JS }).RE2JS;
  const compiled = engine.compile(source, engine.DOTALL);
  return (text) => {
    const matcher = compiled.matcher(text);
    if (!matcher.matches()) return undefined;
    return Array.from({ length: matcher.groupCount() }, (_, index) => matcher.group(index + 1) ?? undefined);
  };
}
