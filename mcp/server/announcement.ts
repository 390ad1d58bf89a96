/**
 * What clients are told, checked and copied: texts, icons, hints. Each throws a `DefinitionError` that names the
 * place.
 */

import type { Icon } from '../content.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { isJsonObject } from '../json-rpc.ts';
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
