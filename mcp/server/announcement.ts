/**
 * What clients are told, checked and copied: texts, icons, hints. Each throws a `DefinitionError` that names the
 * place.
 */

import type { Complete } from '../completion.ts';
import type { ContentAnnotations, Icon } from '../content.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { describeExcess, excessOf } from '../json-bounds.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import { SCHEMA_LIMITS } from '../limits.ts';
import type { ToolAnnotations } from '../tool.ts';

type Code = DefinitionError['code'];

export function announcedText(value: unknown, place: string, code: Code): void {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new DefinitionError(code, `${place} must be a text that is not empty`);
  }
}

/** Icons come from `https:` or `data:`; clients must refuse all else (2026-07-28, basic, icons). */
export function announcedIcons(icons: unknown, place: string, code: Code): readonly Icon[] {
  if (!Array.isArray(icons)) throw new DefinitionError(code, `${place} must be an array of icons`);
  return icons.map((icon: unknown, index) => {
    const bad = (reason: string): DefinitionError => new DefinitionError(code, `${place}[${index}]${reason}`);
    if (!isJsonObject(icon)) throw bad(' must be { src, … }');
    const { src, mimeType, sizes, theme } = icon;
    if (typeof src !== 'string' || !URL.canParse(src) || !/^(?:https|data):/i.test(src)) {
      throw bad(`.src must be a https: or data: URI, not ${quoted(String(src))}`);
    }
    if (mimeType !== undefined && typeof mimeType !== 'string') throw bad('.mimeType must be a string');
    if (sizes !== undefined && !(Array.isArray(sizes) && sizes.every((size) => typeof size === 'string'))) {
      throw bad(".sizes must be an array of strings like '48x48'");
    }
    if (theme !== undefined && theme !== 'light' && theme !== 'dark') throw bad(".theme must be 'light' or 'dark'");
    return Object.freeze({
      src,
      ...(mimeType === undefined ? {} : { mimeType }),
      ...(sizes === undefined ? {} : { sizes: Object.freeze([...sizes]) as readonly string[] }),
      ...(theme === undefined ? {} : { theme }),
    });
  });
}

const hints: readonly (keyof ToolAnnotations)[] = [
  'readOnlyHint',
  'destructiveHint',
  'idempotentHint',
  'openWorldHint',
];

export function announcedAnnotations(annotations: unknown, place: string): ToolAnnotations {
  const bad = (reason: string): DefinitionError => new DefinitionError('ERR_TOOL', `${place}${reason}`);
  if (!isJsonObject(annotations)) throw bad(' must be an object');
  for (const [name, value] of Object.entries(annotations)) {
    if (name === 'title') announcedText(value, `${place}.title`, 'ERR_TOOL');
    else if (!hints.includes(name as keyof ToolAnnotations))
      throw bad(`.${name} is unknown; there are title, ${hints.join(', ')}`);
    else if (typeof value !== 'boolean') throw bad(`.${name} must be true or false`);
  }
  return Object.freeze({ ...annotations });
}

/** Those of the texts that are there, checked; `place` comes before their names. */
export function announcedTexts<K extends string>(
  spec: object,
  keys: readonly K[],
  place: string,
  code: Code,
): { readonly [key in K]?: string } {
  const values = spec as { readonly [key in K]?: unknown };
  const given = keys.filter((key) => values[key] !== undefined);
  for (const key of given) announcedText(values[key], `${place}${key}`, code);
  return Object.fromEntries(given.map((key) => [key, values[key]])) as { readonly [key in K]?: string };
}

/** How long one request may take. */
export function announcedTime(timeoutMs: unknown, where: string, code: Code): void {
  if (timeoutMs === undefined || (Number.isSafeInteger(timeoutMs) && (timeoutMs as number) >= 1)) return;
  const reason = `timeoutMs must be a positive whole number of milliseconds, not ${String(timeoutMs)}`;
  throw new DefinitionError(code, `${where}: ${reason}`);
}

/** `_meta`: a copy of its JSON, frozen. */
export function announcedMeta(meta: unknown, place: string, code: Code): JsonObject {
  if (!isJsonObject(meta)) throw new DefinitionError(code, `${place} must be an object`);
  const { depthMax, nodesMax } = SCHEMA_LIMITS;
  const excess = excessOf(meta, depthMax, nodesMax);
  if (excess !== undefined) throw new DefinitionError(code, `${place} ${describeExcess(excess, depthMax, nodesMax)}`);
  return Object.freeze(JSON.parse(JSON.stringify(meta)) as JsonObject);
}

/** Hints on how to use a content or a resource. */
export function announcedUse(annotations: unknown, place: string, code: Code): ContentAnnotations {
  const bad = (reason: string): DefinitionError => new DefinitionError(code, `${place}${reason}`);
  if (!isJsonObject(annotations)) throw bad(' must be an object');
  const { audience, priority, lastModified, ...unknown } = annotations;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined) throw bad(`.${stranger} is unknown; there are audience, priority, lastModified`);
  const isRole = (role: unknown): boolean => role === 'user' || role === 'assistant';
  if (audience !== undefined && !(Array.isArray(audience) && audience.every(isRole))) {
    throw bad(".audience must be an array of 'user' and 'assistant'");
  }
  if (priority !== undefined && !(typeof priority === 'number' && priority >= 0 && priority <= 1)) {
    throw bad('.priority must be a number from 0 to 1');
  }
  if (lastModified !== undefined) announcedText(lastModified, `${place}.lastModified`, code);
  return Object.freeze({ ...annotations });
}

/** Functions that suggest values, each for one of the names that there are. */
export function announcedCompletions(
  complete: unknown,
  names: readonly string[],
  where: string,
  code: Code,
): ReadonlyMap<string, Complete> {
  if (complete === undefined) return new Map();
  if (!isJsonObject(complete)) throw new DefinitionError(code, `${where}: complete must be an object of functions`);
  for (const [name, each] of Object.entries(complete)) {
    if (!names.includes(name)) {
      throw new DefinitionError(code, `${where}: complete.${name} is for nothing; there are ${names.join(', ')}`);
    }
    if (typeof each !== 'function') throw new DefinitionError(code, `${where}: complete.${name} must be a function`);
  }
  return new Map(Object.entries(complete) as [string, Complete][]);
}
