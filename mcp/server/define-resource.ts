import { requiredScopes } from '../authorization/principal.ts';
import type { Complete } from '../completion.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { isJsonObject } from '../json-rpc.ts';
import type {
  Resource,
  ResourceFunction,
  ResourceSpec,
  ResourceTemplate,
  ResourceTemplateFunction,
  ResourceTemplateSpec,
} from '../resource.ts';
import { parseUriTemplate, type UriTemplate } from '../uri-template.ts';
import {
  announcedCompletions,
  announcedIcons,
  announcedMeta,
  announcedTexts,
  announcedTime,
  announcedUse,
} from './announcement.ts';

/** How long, and by whom, what has been read may be kept. */
export interface ReadCaching {
  readonly ttlMs: number;
  readonly cacheScope: 'public' | 'private';
}

type Announced = Pick<ResourceSpec, 'title' | 'description' | 'mimeType' | 'annotations' | 'icons' | '_meta'>;

/** A resource that has been checked. */
export interface ResourceDefinition {
  readonly uri: string;
  readonly name: string;
  /** What clients are told of it. */
  readonly announced: Announced & Pick<ResourceSpec, 'size'>;
  readonly read: ResourceFunction;
  readonly timeoutMs: number | undefined;
  readonly caching: ReadCaching;
  readonly scopes: readonly string[] | undefined;
}

/** A template that has been checked. */
export interface TemplateDefinition {
  readonly name: string;
  readonly uriTemplate: UriTemplate;
  readonly announced: Announced;
  readonly read: ResourceTemplateFunction;
  readonly complete: ReadonlyMap<string, Complete>;
  readonly timeoutMs: number | undefined;
  readonly caching: ReadCaching;
  readonly scopes: readonly string[] | undefined;
}

const code = 'ERR_RESOURCE';
const templateName = /^[A-Za-z0-9_.-]{1,128}$/;

export function defineResource(uri: string, resource: unknown, server: string): ResourceDefinition {
  const where = `${server}, resource ${quoted(uri)}`;
  if (!URL.canParse(uri)) throw new DefinitionError(code, `${where}: a resource has an absolute URI`);
  if (!isJsonObject(resource) || !isJsonObject(resource['spec']) || typeof resource['read'] !== 'function') {
    throw new DefinitionError(code, `${where}: define it with resource(spec, read)`);
  }
  const { spec, read } = resource as unknown as Resource;
  const { size } = spec;
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
    throw new DefinitionError(code, `${where}: size must be a whole number of bytes, not ${String(size)}`);
  }
  const { name = uri } = announcedTexts(spec, ['name'], `${where}: `, code);
  const announced = Object.freeze({ ...announcedOf(spec, where), ...(size === undefined ? {} : { size }) });
  const { timeoutMs } = spec;
  return Object.freeze({ uri, name, announced, read, timeoutMs, ...sharing(spec, where) });
}

export function defineTemplate(name: string, template: unknown, server: string): TemplateDefinition {
  const where = `${server}, template ${quoted(name)}`;
  if (!templateName.test(name)) {
    throw new DefinitionError(code, `${where}: the name of a template has 1 to 128 of A-Z a-z 0-9 _ - .`);
  }
  if (!isJsonObject(template) || !isJsonObject(template['spec']) || typeof template['read'] !== 'function') {
    throw new DefinitionError(code, `${where}: define it with resourceTemplate(uriTemplate, spec, read)`);
  }
  const { uriTemplate: text, spec, read } = template as unknown as ResourceTemplate;
  const uriTemplate = parseUriTemplate(String(text));
  if ('problem' in uriTemplate) {
    throw new DefinitionError(code, `${where}: URI template ${quoted(String(text))}: ${uriTemplate.problem}`);
  }
  return Object.freeze({
    name,
    uriTemplate,
    announced: Object.freeze(announcedOf(spec, where)),
    read,
    complete: announcedCompletions(spec.complete, uriTemplate.variables, where, code),
    timeoutMs: spec.timeoutMs,
    ...sharing(spec, where),
  });
}

function announcedOf(spec: ResourceSpec | ResourceTemplateSpec, where: string): Announced {
  const { annotations, icons, _meta: meta, timeoutMs } = spec;
  announcedTime(timeoutMs, where, code);
  return {
    ...announcedTexts(spec, ['title', 'description', 'mimeType'], `${where}: `, code),
    ...(annotations === undefined ? {} : { annotations: announcedUse(annotations, `${where}: annotations`, code) }),
    ...(icons === undefined ? {} : { icons: announcedIcons(icons, `${where}: icons`, code) }),
    ...(meta === undefined ? {} : { _meta: announcedMeta(meta, `${where}: _meta`, code) }),
  };
}

function sharing(
  spec: ResourceTemplateSpec,
  where: string,
): { readonly caching: ReadCaching; readonly scopes: readonly string[] | undefined } {
  const caching = cachingOf(spec, where);
  const scopes = requiredScopes(spec.scopes, where, code);
  if (caching.cacheScope === 'private' || (scopes ?? []).length === 0) return { caching, scopes };
  throw new DefinitionError(code, `${where}: what needs scopes must not be shared: cacheScope must be 'private'`);
}

function cachingOf({ ttlMs = 0, cacheScope = 'private' }: ResourceTemplateSpec, where: string): ReadCaching {
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 0) {
    throw new DefinitionError(code, `${where}: ttlMs must be a whole number of milliseconds, not ${String(ttlMs)}`);
  }
  if (cacheScope !== 'public' && cacheScope !== 'private') {
    throw new DefinitionError(code, `${where}: cacheScope must be 'public' or 'private'`);
  }
  return Object.freeze({ ttlMs, cacheScope });
}
