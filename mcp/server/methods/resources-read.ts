import { errorObject, INTERNAL_ERROR, INVALID_PARAMS, quoted, RESOURCE_NOT_FOUND } from '../../errors.ts';
import { describeExcess, excessOf } from '../../json-bounds.ts';
import { isJsonObject } from '../../json-rpc.ts';
import type { McpLimits } from '../../limits.ts';
import type { RequestContext } from '../../request-context.ts';
import type { Revision } from '../../revision/contract.ts';
import { type Catalog, viewOf } from '../catalog.ts';
import type { ReadCaching } from '../define-resource.ts';
import { resourceProblem } from '../tool-result.ts';
import {
  describeWork,
  failed,
  failedByCode,
  failedByThrow,
  type Job,
  type MethodHandler,
  type Outcome,
  runOf,
  scopeProblem,
} from './outcome.ts';

/** What a URI leads to: a resource, or the first template that fits. */
export interface Readable {
  readonly timeoutMs: number;
  readonly mimeType: string | undefined;
  readonly caching: ReadCaching;
  readonly scopes: readonly string[] | undefined;
  read(ctx: RequestContext): unknown;
}

export function readableAt(
  catalog: Catalog,
  uri: string,
  { patternInputMax }: Pick<McpLimits, 'patternInputMax'>,
): Readable | undefined {
  const resource = catalog.resources.get(uri);
  if (resource !== undefined) {
    const { timeoutMs, announced, caching, scopes, read } = resource;
    return { timeoutMs, mimeType: announced.mimeType, caching, scopes, read: (ctx) => read(uri, ctx) };
  }
  for (const { uriTemplate, timeoutMs, announced, caching, scopes, read } of catalog.templates.values()) {
    const variables = uriTemplate.match(uri, patternInputMax);
    if (variables !== undefined) {
      return { timeoutMs, mimeType: announced.mimeType, caching, scopes, read: (ctx) => read(variables, ctx, uri) };
    }
  }
  return undefined;
}

/** `resources/read` (server/resources, Reading Resources): the read if there is such a resource. */
export const resourcesRead: MethodHandler = ({ params, catalog, revision, limits, granted }) => {
  const uri = params['uri'] as string;
  const readable = readableAt(catalog, uri, limits);
  if (readable === undefined) return failed(notFound(uri, revision), revision);
  const barred = scopeProblem(readable.scopes, { kind: 'resource', name: uri }, { granted, revision });
  if (barred !== undefined) return barred;
  return runOf({ kind: 'resource', name: uri }, readable.timeoutMs, params);
};

export function readJob(readable: Readable, uri: string, catalog: Catalog, revision: Revision, limits: McpLimits): Job {
  const what = describeWork({ kind: 'resource', name: uri });
  return {
    run: (ctx) => readable.read(ctx),
    answer: (returned) => answerOfRead(readable, uri, returned, catalog, revision, limits),
    thrown: (error) => failedByThrow(error, what, revision),
  };
}

export function notFound(uri: string, revision: Revision): ReturnType<typeof errorObject> {
  const code = revision.era === 'sessions' ? RESOURCE_NOT_FOUND : INVALID_PARAMS;
  return errorObject(code, `there is no resource ${quoted(uri)}`, { uri });
}

function answerOfRead(
  { mimeType, caching }: Readable,
  uri: string,
  returned: unknown,
  catalog: Catalog,
  revision: Revision,
  limits: McpLimits,
): Outcome {
  if (returned === undefined) return failedByCode(notFound(uri, revision), revision);
  const contents = contentsOf(returned, uri, mimeType);
  const problem = contentsProblem(contents, limits);
  if (problem !== undefined) {
    return failedByCode(errorObject(INTERNAL_ERROR, `resource ${quoted(uri)}: ${problem}`), revision);
  }
  const { serverInfo } = viewOf(catalog, revision);
  return { kind: 'result', result: revision.result({ contents }, serverInfo, caching) };
}

function contentsOf(returned: unknown, uri: string, mimeType: string | undefined): unknown {
  const own = { uri, ...(mimeType === undefined ? {} : { mimeType }) };
  if (typeof returned === 'string') return [{ ...own, text: returned }];
  if (returned instanceof Uint8Array) {
    const bytes = Buffer.from(returned.buffer, returned.byteOffset, returned.byteLength);
    return [{ ...own, blob: bytes.toString('base64') }];
  }
  if (!Array.isArray(returned)) return returned;
  return returned.map((each: unknown) =>
    isJsonObject(each) && each['mimeType'] === undefined ? { ...each, ...(mimeType && { mimeType }) } : each,
  );
}

function contentsProblem(contents: unknown, { messageDepthMax, resultNodesMax }: McpLimits): string | undefined {
  if (!Array.isArray(contents)) return 'it returned no text, no bytes and no array of contents';
  // To say that there is nothing, it returns undefined: clients must not be given an empty list.
  if (contents.length === 0) return 'it returned no contents: return undefined if there is no such resource';
  for (const [index, each] of contents.entries()) {
    const problem = resourceProblem(each, `contents[${index}]`);
    if (problem !== undefined) return `it must have returned ${problem}`;
  }
  const excess = excessOf(contents, messageDepthMax, resultNodesMax);
  return excess === undefined ? undefined : `the result ${describeExcess(excess, messageDepthMax, resultNodesMax)}`;
}
