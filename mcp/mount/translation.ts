/** Requests of a revision without sessions for a server that knows sessions only, and its answers. Pure. */

import { type ErrorObject, errorObject, INTERNAL_ERROR } from '../errors.ts';
import { errorMessage, isJsonObject, type JsonObject, type RequestId, resultMessage } from '../json-rpc.ts';
import type { Implementation } from '../revision/contract.ts';
import { revisionOf, SUPPORTED_VERSIONS } from '../revision/registry.ts';
import type { Negotiated } from '../server/methods/outcome.ts';
import type { ForwardRequest } from './forward.ts';
import type { Opened } from './mount.ts';

/** What stands for a client that has not opened a session; it cannot be asked anything. */
export function anonymous(version: string, clientInfo: Implementation | undefined): Negotiated {
  return { version, clientInfo: clientInfo ?? { name: 'unknown', version: '0' }, clientCapabilities: {} };
}

const envelopePrefix = 'io.modelcontextprotocol/';

/** The parameters without what a request of such a revision says of its client. */
export function withoutEnvelope(params: JsonObject): JsonObject {
  const meta = params['_meta'];
  if (!isJsonObject(meta)) return params;
  const kept = Object.entries(meta).filter(([key]) => !key.startsWith(envelopePrefix));
  const { _meta: _, ...rest } = params;
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) };
}

const capabilitiesKey = `${envelopePrefix}clientCapabilities`;
const tasksKey = `${envelopePrefix}tasks`;

/** The parameters of a client that does not know tasks. */
export function withoutTasks(params: JsonObject): JsonObject {
  const meta = params['_meta'];
  const capabilities = isJsonObject(meta) ? meta[capabilitiesKey] : undefined;
  const extensions = isJsonObject(capabilities) ? capabilities['extensions'] : undefined;
  if (!isJsonObject(extensions) || !Object.hasOwn(extensions, tasksKey)) return params;
  const { [tasksKey]: _, ...others } = extensions;
  const known = { ...(capabilities as JsonObject), extensions: others };
  return { ...params, _meta: { ...(meta as JsonObject), [capabilitiesKey]: known } };
}

/** What every answer to these may be kept for: not at all, since nobody tells of changes. */
const uncached = { ttlMs: 0, cacheScope: 'private' } as const;
const cacheable = new Set([
  'server/discover',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
]);

/** What a server that knows sessions only is asked in place of a method that it does not have. */
export function methodFor(method: string): string {
  return method === 'server/discover' ? 'ping' : method;
}

/** The answer as the client gets it: under its own id, in its own revision. */
export function translated(
  { id, version, method, translates }: Pick<ForwardRequest, 'id' | 'version' | 'method' | 'translates'>,
  { result, error }: JsonObject,
  opened: Opened | undefined,
): { readonly message: object; readonly status: number | undefined } {
  const revision = revisionOf(version)!;
  if (!isJsonObject(result)) {
    const told = errorOf(error);
    const sent = translates ? revision.error(told) : told;
    return { message: errorMessage(id as RequestId, sent), status: revision.httpStatus(sent.code, 'code') };
  }
  if (!translates || opened === undefined) return { message: resultMessage(id, result), status: undefined };
  const body = method === 'server/discover' ? discovered(opened) : result;
  const caching = cacheable.has(method) ? uncached : undefined;
  return { message: resultMessage(id, revision.result(body, opened.serverInfo, caching)), status: undefined };
}

function errorOf(error: unknown): ErrorObject {
  if (!isJsonObject(error) || !Number.isSafeInteger(error['code']) || typeof error['message'] !== 'string') {
    return errorObject(INTERNAL_ERROR, 'the mounted server has answered with neither a result nor an error');
  }
  return error as unknown as ErrorObject;
}

/** Nobody can be told of changes, and there are neither log levels nor tasks without sessions here. */
function discovered({ capabilities, instructions }: Opened): object {
  const kept = ['tools', 'resources', 'prompts', 'completions'].filter((name) => Object.hasOwn(capabilities, name));
  return {
    supportedVersions: SUPPORTED_VERSIONS,
    capabilities: Object.fromEntries(kept.map((name) => [name, {}])),
    ...(instructions === undefined ? {} : { instructions }),
  };
}
