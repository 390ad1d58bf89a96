/** Lists what an entry point makes public: its values by importing it, its types by reading its declarations. */

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { codeOnly } from './source-text.ts';

/** Names of the values a built module exports, sorted. */
export async function exportedValues(built: string): Promise<string[]> {
  const module = (await import(pathToFileURL(built).href)) as Record<string, unknown>;
  return Object.keys(module).sort();
}

/** Names of the types (and only types) in a declaration file, sorted. Refuses wildcards: they hide what is public. */
export function exportedTypes(declarations: string): string[] {
  return typeNames(readFileSync(declarations, 'utf8')).sort();
}

/** The type names of one declaration text. */
export function typeNames(text: string): string[] {
  const code = codeOnly(text);
  if (/\bexport\s*\*/.test(code)) throw new Error('an entry point exports names, not wildcards: list what is public');
  const names: string[] = [];
  for (const [, name] of code.matchAll(
    /\bexport\s+(?:declare\s+)?(?:interface|type)\s+([A-Za-z_$][\w$]*)\s*[<={\s]/g,
  )) {
    names.push(name!);
  }
  for (const [, onlyTypes, list] of code.matchAll(/\bexport\s+(type\s+)?\{([^}]*)\}/g)) {
    for (const item of list!.split(',')) {
      const [, isType, name] = /^\s*(type\s+)?(?:[\w$]+\s+as\s+)?([\w$]+)\s*$/.exec(item) ?? [];
      if (name !== undefined && (onlyTypes !== undefined || isType !== undefined)) names.push(name);
    }
  }
  return names;
}
